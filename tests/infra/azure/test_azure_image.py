"""The registry, with an image of this repository and with a ready one."""

import pytest

from tests.infra.plans import plan


@pytest.mark.parametrize("name", ["azure-smb", "azure-smb-ready"])
def test_the_registrys_password_is_there_for_the_way_back_from_a_ready_image(name: str):
    assert plan(name).one("containerregistry:Registry").inputs["adminUserEnabled"] is True


def test_the_site_pulls_as_itself_and_may_do_nothing_else_there():
    found = plan("azure-smb")
    grant = found.one("RoleAssignment", "image-pull").plain
    assert grant["principalId"] == "principal-1"
    assert grant["scope"] == "image-registry-id"
    assert grant["roleDefinitionId"].endswith("7f951dda-4ed3-4680-a7ca-43fe172d538d")
    assert found.one("web:WebApp").plain["siteConfig"]["acrUseManagedIdentityCreds"] is True
