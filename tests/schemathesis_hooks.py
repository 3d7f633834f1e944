"""Where the tool's idea of a request differs from the contract's."""

import schemathesis


def whole(value):
    """JSON Schema takes 2.0 for a whole number. The contract does not: quantities are never floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, (dict, list)):
        case.body = whole(case.body)
