"""Another policy over old traffic: logged observations, judged again. No model is loaded."""
