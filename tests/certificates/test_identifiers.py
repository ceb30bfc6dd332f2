import pytest

from certificates import Identifier, IdentifierInvalid, Issuer

VECTORS = (
    "1.2.156.3005.2.11100000000013338W011.11110000000021135M.20230329701.003.Y",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
)


@pytest.mark.parametrize("vector", VECTORS)
def test_identifiers_in_use_are_read_and_written_back(vector: str):
    assert str(Identifier.parse(vector)) == vector


@pytest.mark.parametrize("vector", VECTORS)
def test_one_mistyped_digit_is_found(vector: str):
    with pytest.raises(IdentifierInvalid):
        Identifier.parse(vector.replace(".00", ".01", 1))


@pytest.mark.parametrize("text", ["", "JY1", VECTORS[0].lower(), VECTORS[0] + "\n", VECTORS[0].replace("3005", "3006")])
def test_what_has_another_shape_is_refused(text: str):
    with pytest.raises(IdentifierInvalid):
        Identifier.parse(text)


def test_a_serial_that_would_not_come_back_is_refused():
    with pytest.raises(IdentifierInvalid):
        Identifier("11100000000013338W011", "11110000000021135M", "闽1")


@pytest.mark.parametrize(("code", "uscc"), [("../x", "11110000000021135M"), ("market", "11110000000021135N")])
def test_a_mistyped_department_is_refused(code: str, uscc: str):
    with pytest.raises(IdentifierInvalid):
        Issuer(code, uscc, "示例局")
