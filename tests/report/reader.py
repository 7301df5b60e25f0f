"""What a reader of a page meets."""

from html.parser import HTMLParser

VOID = {"meta"}
HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)>&\"'"


class Reader(HTMLParser):
    """Checks that every element is closed where it was opened; gathers what a reader meets."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.attributes, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    """The page, which is whole."""
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader
