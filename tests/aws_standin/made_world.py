"""A small region as AWS would list it: hosts, databases, a load balancer, reservations, a savings plan, and what nobody knew yet."""

from __future__ import annotations

from staging.aws import AwsWorld

SEOUL = "ap-northeast-2"


def dimension(usd, unit="Hrs", begin="0", end="Inf"):
    return {"unit": unit, "pricePerUnit": {"USD": usd}, "beginRange": begin, "endRange": end, "appliesTo": []}


def on_demand(sku, *dimensions):
    return {f"{sku}.JRTCKXETXF": {"offerTermCode": "JRTCKXETXF", "priceDimensions": {f"{sku}.{n}": d for n, d in enumerate(dimensions)}}}


def reserved(sku, *, upfront, hourly, years="1yr", offering="standard", payment="All Upfront"):
    parts = {f"{sku}.q": dimension(upfront, "Quantity"), f"{sku}.h": dimension(hourly)}
    told = {"LeaseContractLength": years, "OfferingClass": offering, "PurchaseOption": payment}
    return {f"{sku}.R{years}{payment}": {"priceDimensions": parts, "termAttributes": told}}


def product(service, sku, family, attributes, demand, terms=None, region=SEOUL):
    told = {"regionCode": region, "servicecode": service, **attributes}
    found = {"OnDemand": demand} | ({"Reserved": terms} if terms else {})
    return {"product": {"sku": sku, "productFamily": family, "attributes": told}, "serviceCode": service, "terms": found, "version": "1"}


def host(name, usd, sku=None, region=SEOUL, **more):
    plain = {
        "instanceType": name, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used",
        "operation": "RunInstances", "usagetype": f"APN2-BoxUsage:{name}", "licenseModel": "No License required",
    }  # fmt: skip
    return product("AmazonEC2", sku or name, "Compute Instance", plain | more, on_demand(sku or name, dimension(usd)), region=region)


def service(code, family, usage, *dimensions, **more):
    return product(code, usage, family, {"usagetype": f"APN2-{usage}", **more}, on_demand(usage, *dimensions))


def instance_type(name, vcpus=2, memory_mib=2048, *, burstable=True, **more):
    return {
        "InstanceType": name, "CurrentGeneration": True, "FreeTierEligible": False, "BareMetal": False, "Hypervisor": "nitro",
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"], "SustainedClockSpeedInGhz": 3.1, "Manufacturer": "Intel"},
        "VCpuInfo": {"DefaultVCpus": vcpus, "DefaultCores": vcpus // 2 or 1, "DefaultThreadsPerCore": 2 if vcpus > 1 else 1},
        "MemoryInfo": {"SizeInMiB": memory_mib}, "BurstablePerformanceSupported": burstable,
        "NetworkInfo": {
            "NetworkPerformance": "Up to 5 Gigabit", "NetworkCards": [{"NetworkCardIndex": 0, "BaselineBandwidthInGbps": 0.128}],
        },
        "EbsInfo": {"EbsOptimizedInfo": {"BaselineBandwidthInMbps": 174}}, **more,
    }  # fmt: skip


def offering(name, *, fixed, hourly=None, years=1, payment="All Upfront", **more):
    charges = [] if hourly is None else [{"Amount": hourly, "Frequency": "Hourly"}]
    return {
        "ReservedInstancesOfferingId": f"{name}-{years}-{payment}", "InstanceType": name, "Duration": years * 31_536_000,
        "FixedPrice": fixed, "UsagePrice": 0.0, "ProductDescription": "Linux/UNIX", "InstanceTenancy": "default",
        "OfferingClass": "standard",
        "OfferingType": payment, "RecurringCharges": charges, "Scope": "Region", "Marketplace": False, "CurrencyCode": "USD", **more,
    }  # fmt: skip


def rate(name, usd, *, plan="EC2Instance", years=1, payment="All Upfront", region=SEOUL):
    told = {"region": region, "instanceType": name, "productDescription": "Linux/UNIX", "tenancy": "shared"}
    return {
        "savingsPlanOffering": {
            "offeringId": "o", "paymentOption": payment, "planType": plan, "durationSeconds": years * 31_536_000, "currency": "USD",
        },
        "rate": usd, "unit": "Hrs", "productType": "EC2", "serviceCode": "AmazonEC2", "usageType": f"APN2-BoxUsage:{name}",
        "operation": "RunInstances", "properties": [{"name": name_, "value": value} for name_, value in told.items()],
    }  # fmt: skip


def small_world():
    """Prices that differ from the embedded ones, so that it shows which of them answers."""
    database = {"instanceType": "db.t3.micro", "databaseEngine": "PostgreSQL", "deploymentOption": "Single-AZ"}
    node = {"instanceType": "cache.t3.micro", "cacheEngine": "Redis"}
    return AwsWorld(
        instance_types=[
            instance_type("t3.small"), instance_type("m9i.large", burstable=False, NewThing={"Depth": 3}), instance_type("t5.small"),
        ],
        products=[
            host("t3.small", "0.0270000000"), host("m9i.large", "0.1234500000", newAttribute="?"), host("t5.small", "0.0250000000"),
            host("t3.small", "0.0500000000", sku="windows", operatingSystem="Windows"),
            host("t3.small", "0.0999000000", sku="dedicated", tenancy="Dedicated"),
            host("t3.small", "0.0208000000", sku="elsewhere", region="us-east-1"),
            product(
                "AmazonRDS", "db", "Database Instance", database, on_demand("db", dimension("0.0300000000")),
                reserved("db", upfront="180", hourly="0"),
            ),
            product("AmazonElastiCache", "node", "Cache Instance", node, on_demand("node", dimension("0.0260000000"))),
            service("AWSELB", "Load Balancer-Application", "LoadBalancerUsage", dimension("0.0230000000")),
            service("AWSELB", "Load Balancer-Network", "LoadBalancerUsage", dimension("0.0990000000")),
            service("AmazonVPC", "VpcPublicIPv4Address", "PublicIPv4:InUseAddress", dimension("0.0060000000")),
            service("AmazonCloudWatch", "API Request", "CW:GMD-Metrics", dimension("0.0000100000", "Metrics")),
            product(
                "AWSDataTransfer", "out", "Data Transfer", {"usagetype": "APN2-DataTransfer-Out-Bytes", "fromRegionCode": SEOUL},
                on_demand("out", dimension("0.1270000000", "GB", "0", "10240"), dimension("0.1230000000", "GB", "10240", "Inf")),
            ),
        ],
        reservations=[
            offering("t3.small", fixed=131.0), offering("t3.small", fixed=0.0, hourly=0.0158, payment="No Upfront"),
            offering("t3.small", fixed=67.0, hourly=0.0077, payment="Partial Upfront"),
            offering("t3.small", fixed=99.0, Marketplace=True), offering("t3.small", fixed=88.0, ProductDescription="Windows"),
        ],
        rates=[rate("t3.small", "0.0149"), rate("t3.small", "0.0171", plan="Compute"), rate("t3.small", "0.01", region="us-east-1")],
    )  # fmt: skip
