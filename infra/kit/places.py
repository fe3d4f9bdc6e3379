"""Every place there is."""

from collections.abc import Mapping

from kit.aws.place import AWS
from kit.azure.place import AZURE
from kit.docker.place import DOCKER
from kit.gcp.place import GCP
from kit.place import Place

PLACES: Mapping[str, Place] = {place.name: place for place in (AZURE, AWS, GCP, DOCKER)}
