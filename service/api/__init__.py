"""The HTTP surface: OpenAI's shapes where there are some, our own where there are none."""
