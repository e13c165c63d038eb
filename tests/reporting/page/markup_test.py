from enas_tf.reporting.page.markup import Html, element, joined, table


def test_texts_and_attributes_are_escaped():
    text = element("a", '<b> & "c"', title="<\"'&>")
    assert text == '<a title="&lt;&quot;&#x27;&amp;&gt;">&lt;b&gt; &amp; "c"</a>'


def test_markup_stays_as_it_is():
    assert element("p", element("b", "x"), " < ", [Html("<i>"), None]) == "<p><b>x</b> &lt; <i></p>"


def test_names_of_attributes():
    assert element("g", class_="a", stroke_width=1.23456, rx=None) == (
        '<g class="a" stroke-width="1.23"></g>'
    )


def test_an_attribute_may_be_called_name():
    assert element("meta", name="viewport") == '<meta name="viewport">'


def test_joined_contents_are_escaped():
    assert joined(["<", Html("<br>")], " ") == "&lt; <br>"


def test_cells_that_are_elements_already():
    text = table(["a"], [["<"], [element("td", "x", class_="c")]])
    assert "<td>&lt;</td>" in text
    assert '<td class="c">x</td>' in text
