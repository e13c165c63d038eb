"""The section on what a search sampled."""

from collections.abc import Sequence

from enas_tf.drawing.style import operation_colours
from enas_tf.reporting.page.columns import distribution_figure, shares_figure
from enas_tf.reporting.page.heatmap import heatmap_figure
from enas_tf.reporting.page.markup import Html, element
from enas_tf.reporting.page.numbers import words
from enas_tf.reporting.page.records import SearchRecord
from enas_tf.reporting.page.sampled import Sampled, SampledEpochs
from enas_tf.reporting.page.scales import Axis
from enas_tf.reporting.page.sections import Section, grid, paragraph
from enas_tf.spaces.entry import SpaceEntry


def sampled_section(record: SearchRecord) -> Section:
    """Returns the section on operations and rewards of the sampled architectures."""
    sampled = record.sampled
    title = "Sampled architectures"
    if not sampled.total:
        text = (
            "Nothing to show: no architecture was sampled for the controller yet (the strategy "
            "random never does)."
        )
        return Section("sampled", title, [paragraph(text, "missing")])
    columns = [column for column in sampled.columns if column.num_read]
    content = [_overall(columns, sampled, record.entry)] if columns else []
    rewarded = [(column.epochs, column.rewards) for column in sampled.columns if column.rewards]
    if rewarded:
        note = "Of single architectures on one validation minibatch each, with shared weights."
        content.append(distribution_figure("Rewards by epoch", rewarded, Axis("reward"), note))
    # Only what changed in between is news.
    ends = columns if len(columns) < 2 else [columns[0], columns[-1]]
    heatmaps = [_by_place(column, record.entry) for column in ends]
    return Section("sampled", title, [grid(content), element("div", heatmaps, class_="rows")])


def _overall(columns: Sequence[SampledEpochs], sampled: Sampled, entry: SpaceEntry) -> Html:
    shares = [
        (column.epochs, {words(name): share for name, share in column.mean_shares().items()})
        for column in columns
    ]
    names = shares[0][1]
    num_read = sum(column.num_read for column in columns)
    note = f"All {num_read:,} architectures."
    if num_read < sampled.total:
        note = f"Estimated from {num_read:,} of {sampled.total:,} architectures."
    fills = {
        words(operation.label): operation_colours(operation)[0]
        for operation in entry.operations
        if words(operation.label) in names
    }
    return shares_figure("Operations over time", shares, fills, note)


def _by_place(column: SampledEpochs, entry: SpaceEntry) -> Html:
    shares = {words(name): values for name, values in column.shares.items()}
    places = entry.place_names(len(next(iter(shares.values()))))
    title = f"Operations by place, {column.epochs.name}"
    note = f"Percent of {column.num_read:,} architectures. {entry.places_note}"
    return heatmap_figure(title, shares, places, note)
