"""How property tests run, wherever they lie: that a machine is busy is no fault of what they test."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "busy machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy machine")
