// Makes a chart of each figure on the page. Colours in figures are variables of the style sheet.
"use strict";
(() => {
  const charts = [...document.querySelectorAll(".chart")].map((element) => ({
    element,
    json: element.querySelector("script").textContent,
  }));
  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const figure = (json) =>
    JSON.parse(json, (key, value) => {
      const variable = /^var\((--[a-z0-9]+)\)$/.exec(value);
      return variable ? colour(variable[1]) : value;
    });
  // A finger that moves over a chart scrolls the page; zooming has buttons.
  const touches = matchMedia("(pointer: coarse)").matches;
  const config = {
    responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]],
  };
  // What the reader zoomed to stays when colours change.
  const common = { height: 300, uirevision: "kept" };
  const template = () => {
    const family = getComputedStyle(document.body).fontFamily;
    const axis = {
      automargin: true, gridcolor: colour("--rule"), linecolor: colour("--faint"),
      zeroline: false, separatethousands: true, exponentformat: "power",
      title: { standoff: 8 },
    };
    return {
      data: {
        bar: [{ hovertemplate: "%{hovertext}<extra></extra>", textposition: "none" }],
        heatmap: [{
          texttemplate: "%{z:.0f}", hovertemplate: "%{x}, %{y}: %{z:.4~r} %<extra></extra>",
          showscale: false, xgap: 2, ygap: 2,
        }],
        scatter: [{ line: { width: 2 }, marker: { size: 5 } }],
      },
      layout: {
        margin: { l: 8, r: 12, t: 30, b: 8 },
        dragmode: touches ? false : "zoom",
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { family, size: 12, color: colour("--faint") },
        hoverlabel: {
          bgcolor: colour("--sheet"), bordercolor: colour("--rule"), align: "left",
          font: { family, color: colour("--ink") }, namelength: -1,
        },
        legend: {
          traceorder: "normal", orientation: "h", x: 0, xanchor: "left",
          y: 0, yanchor: "bottom", yref: "container",
        },
        modebar: {
          bgcolor: "rgba(0,0,0,0)", color: colour("--faint"), activecolor: colour("--accent"),
        },
        barmode: "stack", xaxis: axis, yaxis: axis,
      },
    };
  };
  const draw = (width) => {
    for (const { element, json } of charts) {
      const { data, layout } = figure(json);
      const size = width ? { width: element.closest(".wide") ? 2 * width : width } : {};
      Plotly.react(element, data, { ...common, template: template(), ...layout, ...size }, config);
    }
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  // Paper is white, and as wide as two charts.
  const paper = (is) => document.documentElement.classList.toggle("paper", is);
  addEventListener("beforeprint", () => { paper(true); draw(330); });
  addEventListener("afterprint", () => { paper(false); draw(); });
})();
