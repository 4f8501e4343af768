"""Whose face or voice is this, and did they agree?"""
