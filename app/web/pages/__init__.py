"""The pages, one file each, with what their forms send and how dates read on them."""
