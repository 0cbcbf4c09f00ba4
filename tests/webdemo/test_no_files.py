"""Gradio itself refuses files while the demo serves; needs gradio, as no copy of it would do."""

import asyncio

import pytest

pytestmark = pytest.mark.browser


def test_files_are_refused_within_and_taken_after(tmp_path):
    gr = pytest.importorskip("gradio")
    from stvit_video.webdemo.no_files import without_files

    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    file = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    with gr.Blocks():
        part = gr.Slider()
    part.GRADIO_CACHE = str(tmp_path / "cache")
    move = gr.processing_utils.async_move_files_to_cache
    before = gr.blocks.Block.__dict__["async_move_resource_to_block_cache"]
    with without_files():
        for named in (
            file,
            [file],
            {"value": file},
            {**file, "path": "http://192.0.2.1/x"},
            {**file, "path": "/dev/zero"},
        ):
            with pytest.raises(PermissionError, match="no files"):
                asyncio.run(move(named, part))
            with pytest.raises(PermissionError, match="no files"):
                gr.processing_utils.move_files_to_cache(named, part, postprocess=True)
        with pytest.raises(PermissionError, match="no files"):
            asyncio.run(gr.processing_utils.async_ssrf_protected_get("http://192.0.2.1/x"))
        assert asyncio.run(move([16, None, "<p>", {"a": 1}], part)) == [16, None, "<p>", {"a": 1}]
        assert not (tmp_path / "cache").exists()
    assert gr.blocks.Block.__dict__["async_move_resource_to_block_cache"] is before
    taken = asyncio.run(move(file, part))
    assert taken["path"].startswith(str(tmp_path / "cache"))
