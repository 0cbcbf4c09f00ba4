from stvit_video.pages.page_table import table_of


def test_a_column_for_every_key_that_occurs():
    table = table_of(
        [{"series": "a", "top_1": "71.2 ± 0.3"}, {"top_1": 3, "fps": None}],
        texts=["series"],
        marked=[1],
        tips={"top_1": "best", "nobody": "x"},
    )
    assert table.heads == ["series", "top 1", "fps"]
    assert table.rows == [["a", "71.2 ± 0.3", None], [None, 3, None]]
    assert table.numbers == ["top 1", "fps"]
    assert table.tips == {"top 1": "best"}
    assert table.marked == [1]
