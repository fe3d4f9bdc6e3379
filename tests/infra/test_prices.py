"""Each price has a source and a date, and the estimate says whose prices it shows and which nobody verified."""

import re
from datetime import date

import pytest
import yaml

import prices
from costs import Cost, estimate
from tests.infra.plans import REGIONS, STORAGES
from tests.infra.recording import ROOT, record

CLOUDS = ("azure", "aws", "gcp")
US = {"azure": "eastus", "aws": "us-east-1", "gcp": "us-central1"}
KEYS = {"azure": "azure-native:location", "aws": "aws:region", "gcp": "gcp:region"}


def estimated(cloud: str, **config: str) -> str:
    return record({"cloud": cloud, **REGIONS[cloud], **config}).outputs["monthly_cost_estimate"]


def test_every_block_names_its_source_and_its_day_and_has_a_number_for_each_item():
    for source in prices.table()["source"]:
        assert source["cloud"] in CLOUDS
        assert isinstance(source["date"], date) and source["date"] < date(2026, 12, 1)
        assert source["name"].startswith("unverified") == (source.get("verified", True) is False)
        for region, numbers in source["usd"].items():
            assert len(numbers) == len(source["items"]), region
            assert all(0 < number < 1000 for number in numbers), region


def test_no_item_of_a_region_has_two_numbers():
    seen: set[tuple[str, str, str, bool]] = set()
    for source in prices.table()["source"]:
        for region in source["usd"]:
            for item in source["items"]:
                one = (source["cloud"], region, item, source.get("verified", True))
                assert one not in seen
                seen.add(one)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_region_of_the_committed_stack_file_and_one_in_the_us_are_known(cloud: str):
    shipped = yaml.safe_load((ROOT / f"Pulumi.{cloud}.yaml").read_text())["config"][KEYS[cloud]]
    for region in (shipped, US[cloud]):
        assert prices.prices_of(cloud, region).region == region


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_unknown_region_gets_the_reference_regions_prices_and_is_told_so(cloud: str):
    found = prices.prices_of(cloud, "moon-north1")
    assert found.region == REGIONS[cloud][KEYS[cloud]]
    assert re.fullmatch(
        rf"{found.region}, \d{{4}}-\d\d( to \d{{4}}-\d\d)?: those of moon-north1 are not known here", found.where
    )


def test_a_region_that_lacks_one_price_is_not_known():
    # The table has Azure Files of westus, and none of its App Service plans.
    assert prices.prices_of("azure", "westus").region == "westeurope"


def test_azures_display_name_is_the_same_region():
    assert prices.prices_of("azure", "East US").region == "eastus"


def test_the_estimate_follows_the_region():
    assert "Fargate of 0.25 vCPU and 0.5 GB $10.36" in estimated("aws")
    assert "Fargate of 0.25 vCPU and 0.5 GB $9.01" in estimated("aws", network="own", **{"aws:region": "us-east-1"})
    assert "list prices of us-east-1, " in estimated("aws", network="own", **{"aws:region": "us-east-1"})
    assert "those of ap-south-1 are not known here" in estimated("aws", network="own", **{"aws:region": "ap-south-1"})


def test_a_region_that_only_the_environment_names_is_priced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert "list prices of us-east-1, " in record({"cloud": "aws", "network": "own"}).outputs["monthly_cost_estimate"]


def test_the_estimate_follows_the_size():
    assert "VM e2-small $13.45" in estimated("gcp", machine="e2-small")
    assert "disk of 40 GB $4.00" in estimated("gcp", storageGb="40")
    assert "Filestore of 2048 GiB $409.60" in estimated("gcp", storage="filestore", storageGb="2048")
    assert "200 GiB on the share $12.00" in estimated("azure", storageGb="200")


def test_a_size_without_a_price_is_named_and_not_left_out_of_the_sum_in_silence():
    said = estimated("azure", machine="P0v3")
    assert "App Service P0v3 (price in westeurope not known)" in said


def test_what_nobody_verified_is_said():
    said = estimated("azure")
    assert "App Service B1 $13.14?, registry $5.00, " in said
    assert "; ? stands where nobody has verified it; " in said


def test_an_estimate_of_verified_prices_only_names_none():
    said = estimate([Cost("a", 1.0), Cost("b", None)], "somewhere, 2026-01 to 2026-02")
    assert said == "about $1 a month: a $1.00; by use: b (list prices of somewhere, 2026-01 to 2026-02; no promise)"


def test_the_first_table_of_the_deployment_page_has_the_sums():
    page = (ROOT / "docs" / "DEPLOYMENT.md").read_text()
    rows = {page_of: line for line in page.splitlines() for page_of in re.findall(r"\| \[(\w+)\.md\]", line)}
    for cloud, storages in STORAGES.items():
        if cloud == "docker":
            continue
        sums = [re.findall(r"about (\$\d+) a month", estimated(cloud, storage=storage))[0] for storage in storages]
        assert set(sums) == set(re.findall(r"\$\d+", rows[cloud])), rows[cloud]


def test_the_heartbeat_is_counted_as_the_app_makes_it():
    from app.writer import lease

    assert prices.HEARTBEATS * lease.RENEW_EVERY == prices.HOURS * 3600
    assert sum(prices.SMB_HEARTBEATS.values()) * 10_000 == pytest.approx(9 * prices.HEARTBEATS)
