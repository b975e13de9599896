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
}


@pytest.mark.parametrize("text", WRONG)
def test_the_sentence_names_what_is_wrong(tmp_path, text):
    path = tmp_path / "sizeup.toml"
    path.write_text(text)

    with pytest.raises(SizeupError) as told:
        load_settings(path)

    assert WRONG[text] in str(told.value)
    assert "\n" not in str(told.value)
