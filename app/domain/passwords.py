"""How passwords are kept: hashed with argon2id. A hash takes long, so none is made while others wait to write."""

import threading
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from pydantic import SecretStr

PasswordHash = NewType("PasswordHash", str)
# OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane): a container with 512 MB can afford it.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# One hash at a time: a burst of sign-ins must not take the memory and the processor from everything else.
_HASHING = threading.Lock()
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$KdGS9nHfxKgxyQ2tDDRBgA$KCrdP34KyWlHMGs7EUAC38qS5DmUUag9q70bt/Yw3mI"


def hashed(password: SecretStr) -> PasswordHash:
    """To be called before a writing transaction begins, not in it: 20 to 100 ms, and as many turns of others."""
    with _HASHING:
        return PasswordHash(_HASHER.hash(password.get_secret_value()))


def password_fits(kept: str | None, password: str) -> bool:
    """Takes as long for an account that does not exist (`kept` is None), so that the time does not tell which do."""
    with _HASHING:
        try:
            return _HASHER.verify(kept or _NOBODY, password) and kept is not None
        except VerificationError:
            return False
