"""Write all generated pages: `python -m docs_generator`."""

from account_alerts.config import PROJECT
from docs_generator.pages import PAGES


def main() -> None:
    """Write each page that differs, and name it."""
    for path, render in PAGES.items():
        file, text = PROJECT / path, render()
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(path)


if __name__ == "__main__":
    main()
