"""AWS, as the config sees it."""

from kit.aws.sizes import LOG_DAYS, MEMORY, memory_of
from kit.aws.zones import ZONES
from kit.place import Place, Store
from reader import Reader

REGION = ("aws:region", "AWS_REGION", "AWS_DEFAULT_REGION")


def check(reader: Reader) -> None:
    """The faults that only AWS has."""
    check_region(reader)
    reader.pinned_image()
    check_machine(reader)
    reader.choice("network", ("default", "own"))
    check_log_days(reader)
    check_copy(reader)


def check_region(reader: Reader) -> None:
    """A stack needs a region that has all of its services."""
    reader.provider(REGION[0], "AWS needs a region.", "eu-central-1", *REGION[1:])
    region = reader.of_provider(*REGION)
    if region and region not in ZONES:
        known = ", ".join(sorted(ZONES))
        why = f"API Gateway has no links into a VPC there, which the stack needs. It has them in {known}."
        reader.fault(REGION[0], region, why, "eu-central-1")


def check_machine(reader: Reader) -> None:
    """Fargate has fixed pairs."""
    machine = reader.text("machine")
    cpu, _, memory = machine.partition("/")
    sizes = memory_of(cpu)
    if not sizes:
        units = ", ".join(str(units) for units in MEMORY)
        reader.fault("machine", machine, f"it must be CPU units/MiB, with {units} CPU units.", "256/512")
    elif memory not in map(str, sizes):
        fitting = ", ".join(str(size) for size in sizes)
        reader.fault("machine", machine, f"with {cpu} CPU units Fargate has {fitting} MiB.", f"{cpu}/{sizes[0]}")


def check_log_days(reader: Reader) -> None:
    days = reader.number("logDays", LOG_DAYS[0], LOG_DAYS[-1])
    if days not in LOG_DAYS:
        nearest = next(known for known in LOG_DAYS if known >= days)
        listed = ", ".join(str(known) for known in LOG_DAYS)
        reader.fault("logDays", str(days), f"CloudWatch keeps logs for {listed} days.", str(nearest))


def check_copy(reader: Reader) -> None:
    """A copy in the same region would be gone with it."""
    copy, own = reader.text("backupCopy"), reader.of_provider(*REGION)
    if copy and (copy == own or copy not in ZONES):
        other = next(region for region in ("eu-west-1", "eu-central-1") if region != own)
        reader.fault("backupCopy", copy, f"it must be another region than {own or 'the stack'}'s, of AWS's.", other)


AWS = Place(
    name="aws",
    storages={"efs": Store()},
    defaults={"machine": "256/512", "network": "default", "logDays": "30", "backupCopy": ""},
    check=check,
    region=REGION,
)
