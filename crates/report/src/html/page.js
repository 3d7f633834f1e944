// Shows the values under the pointer. Without it the page loses nothing else.
"use strict";
for (const chart of document.querySelectorAll("svg.chart")) {
  const make = (name) => chart.appendChild(document.createElementNS(chart.namespaceURI, name));
  const cursor = make("path");
  const reading = make("text");
  cursor.setAttribute("class", "cursor");
  reading.setAttribute("class", "reading");
  reading.setAttribute("y", "16");
  reading.setAttribute("text-anchor", "end");
  const grid = [...chart.querySelectorAll("path.grid")].map((line) => line.getBBox());
  const left = Math.min(...grid.map((box) => box.x));
  const right = Math.max(...grid.map((box) => box.x + box.width));
  const top = Math.min(...grid.map((box) => box.y));
  const bottom = Math.max(...grid.map((box) => box.y + box.height));
  const points = JSON.parse(chart.dataset.points);
  const hide = () => { cursor.removeAttribute("d"); reading.textContent = ""; };
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const x = (event.clientX - box.left) * chart.viewBox.baseVal.width / box.width;
    if (!points.length || x < left || x > right) return hide();
    const near = points.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a);
    cursor.setAttribute("d", `M${near[0]} ${top}V${bottom}`);
    reading.setAttribute("x", right);
    reading.textContent = near[1];
  });
}
document.documentElement.dataset.ready = "yes";
