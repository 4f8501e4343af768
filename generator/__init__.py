"""An approved request becomes frames and sound. The only room that makes pictures."""
