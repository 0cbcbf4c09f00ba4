"""The reader's folder and shell, for the tests of what the pages show."""

from shown_pages import shell, shown_folder  # noqa: F401 - fixtures
