from docs_generator.markdown import paragraph, sentence, table


def test_a_paragraph_is_wrapped_and_code_and_links_are_not_broken() -> None:
    text = "word " * 18 + "`alerts bank load FILE` and [a link of words](page.md)"
    lines = paragraph(text, "- ").splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert lines[1].startswith("  `alerts bank load FILE` and [a link of words](page.md)")


def test_a_sentence_ends_once() -> None:
    assert sentence("An  end") == "An end."
    assert sentence("An end?") == "An end?"
    assert sentence("") == ""


def test_bars_in_cells_are_escaped() -> None:
    assert table(("a",), [("x|y",)]).splitlines()[-1] == "| x\\|y |"
