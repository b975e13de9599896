"""What is wrong in a settings file is said in one sentence: file, table, key, mend."""

from __future__ import annotations

import pytest

from evidence import SizeupError
from sizeup.settings import load_settings

WRONG = {
    '[target.staging]\nalbs = "x"\n': 'sizeup.toml, [target.staging]: unknown key "albs"; did you mean "alb"?',
    "[polcy]\nconfidence = 0.9\n": 'sizeup.toml, top level: unknown key "polcy"; did you mean "policy"?',
    "[policy]\nconfidence = 2\n": 'sizeup.toml, [policy]: "confidence"',
    '[[objective]]\nname = "latency"\n': "limit_s",
    "[traffic]\npeak_per_s = [5, 2, 1]\n": "rising",
    "[policy\n": "not valid TOML",
    "[traffic]\npeak_per_s = [1, 2, inf]\n": "rising",
    "[traffic]\npeak_per_s = [1, 2, 5]\nmean_per_s = 4\n": "the mean, 4/s, is above the likely peak, 2/s",
    "[traffic]\ngrowth_ratio_per_year = -2\n": '[traffic]: "growth_ratio_per_year"',
    "[policy]\ncapital_ratio_per_year = inf\n": '[policy]: "capital_ratio_per_year"',
    "[gate]\ndays = 100000000000000000000000000000\n": '[gate]: "days"',
    '[class.api]\ngroups = [{ name = "a", match = "(" }]\n': '[class.api.groups.0]: "match": is no regular expression',
    '[[held]]\ntype = "small"\n': '[held.0]: "type": must be a type with its size',
    '[[scenario.api]]\nrequest = "GET /x"\nauth = "t"\n': 'top level: [[scenario.api]] "GET /x": its auth "t" has no [auth.t]',
}


@pytest.mark.parametrize("text", WRONG)
def test_the_sentence_names_what_is_wrong(tmp_path, text):
    path = tmp_path / "sizeup.toml"
    path.write_text(text)

    with pytest.raises(SizeupError) as told:
        load_settings(path)

    assert WRONG[text] in str(told.value)
    assert "\n" not in str(told.value)
