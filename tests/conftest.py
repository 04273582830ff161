"""What holds for every test: how fast an example is found is no matter here, speed is measured in `bench/`."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
