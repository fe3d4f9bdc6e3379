"""The promises as rules that Pulumi holds every plan to:  pulumi up --policy-pack infra/policies"""
