"""Reading pages."""

import html.parser
import json
import re

_WITHOUT_END = ("meta", "input")


class Page(html.parser.HTMLParser):
    """Checks that elements are closed in the right order and load nothing; collects what they say.

    Attributes:
      headings: of the sections.
      figures: what the charts show, by their titles.
      scripts: what the browser runs.
      drawings: how many there are, by their size.
      text: all that can be read, but for the charts.
    """

    def __init__(self, page):
        super().__init__()
        self.headings, self.figures, self.scripts, self.drawings = [], {}, [], {}
        self._open, self._texts = [], []
        self.feed(page)
        self.close()
        assert self._open == []
        self.text = re.sub(r"\s+", " ", " ".join(self._texts))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        assert tag not in ("link", "img", "iframe", "object")
        assert not [name for name in attributes if name == "src" or name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")
        if tag not in _WITHOUT_END:
            self._open.append((tag, attributes))
        for size in ("large", "small"):
            if attributes.get("class") == f"drawing {size}":
                self.drawings[size] = self.drawings.get(size, 0) + 1

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag == "script" and attributes.get("type") == "application/json":
            self.figures[self._open[-2][1]["aria-label"]] = json.loads(data)
        elif tag == "script":
            self.scripts.append(data)
        elif tag != "style":
            self._texts.append(data)
        if tag == "h2":
            self.headings.append(data)

    def names(self, title):
        """Returns the names of the lines of a chart."""
        return [trace.get("name") for trace in self.figures[title]["data"]]
