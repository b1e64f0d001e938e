"""What `kinfolk eval recommend` says to options that do not go together, before anything is opened."""

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.core.errors import Mistake

ROLLING = ("--rolling", "2021-01-01:2021-07-01")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "either --cut DAY or --rolling"),
        (("--cut", "2021-01-01", *ROLLING), "either --cut DAY or --rolling"),
        (("--cut", "2021-01-01", "--ablation"), "belong to --rolling"),
        (("--cut", "2021-01-01", "--plot", "a.png"), "belong to --rolling"),
        ((*ROLLING, "--plot", "a.gif"), "ends in .png or .svg"),
        (("--rolling", "2021"), "two days are needed"),
    ],
)
def test_options_that_do_not_go_together_are_a_mistake(options, complaint):
    result = CliRunner().invoke(app, ["eval", "recommend", "--data", "rows.jsonl", *options])
    assert isinstance(result.exception, Mistake)
    assert complaint in str(result.exception)
