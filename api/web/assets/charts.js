// Draws every chart of a page from the table below it. The numbers stay there for those who read them.

const SPACE = 12;
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

// A colour of the stylesheet as the browser resolves it, whatever the theme.
function colour(tone) {
  probe.style.color = `var(--${tone})`;
  return getComputedStyle(probe).color;
}

const faded = (resolved, share) => resolved.replace(/^rgb\(([^)]+)\)$/, `rgba($1, ${share})`);

function numbersOf(figure) {
  const head = [...figure.querySelectorAll("thead th")].slice(1);
  const rows = [...figure.querySelectorAll("tbody tr")];
  const labels = rows.map((row) => row.querySelector("th").textContent.trim());
  const series = head.map((cell, place) => ({
    name: cell.textContent.trim(),
    tone: cell.dataset.tone,
    values: rows.map((row) => {
      const text = row.querySelectorAll("td")[place].textContent.trim();
      return text === "" ? null : Number(text);
    }),
  }));
  return { labels, series };
}

const asDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const asYear = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });

// ISO dates are shown short below the axis; anything else stays as it is.
function shortener(labels) {
  if (!labels.every((label) => /^\d{4}-\d\d-\d\d$/.test(label))) return (label) => label;
  const format = labels.at(0)?.slice(0, 4) === labels.at(-1)?.slice(0, 4) ? asDay : asYear;
  return (label) => format.format(new Date(`${label}T00:00:00Z`));
}

function dataset(series, kind) {
  const tone = colour(series.tone || "accent");
  const line = kind === "line";
  return {
    label: series.name,
    data: series.values,
    borderColor: tone,
    backgroundColor: line ? faded(tone, 0.15) : tone,
    borderWidth: line ? 2 : 0,
    borderRadius: kind === "bar" ? 2 : 0,
    maxBarThickness: 28,
    pointRadius: series.values.length > 45 ? 0 : 2.5,
    pointHoverRadius: 5,
    spanGaps: true,
    tension: 0,
  };
}

function settings(figure) {
  const { labels, series } = numbersOf(figure);
  const kind = figure.dataset.chart;
  const unit = figure.dataset.unit ? ` ${figure.dataset.unit}` : "";
  const short = shortener(labels);
  const ink = colour("ink-2");
  const stacked = kind === "stacked";
  return {
    type: kind === "line" ? "line" : "bar",
    data: { labels, datasets: series.map((one) => dataset(one, kind)) },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: series.length > 1, position: "bottom", labels: { color: ink, boxWidth: SPACE, boxHeight: SPACE } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.formattedValue}${unit}` } },
      },
      scales: {
        x: {
          stacked,
          grid: { display: false },
          border: { color: colour("line-strong") },
          ticks: { color: ink, maxRotation: 0, autoSkipPadding: SPACE, callback: (_, place) => short(labels[place]) },
        },
        y: {
          stacked,
          beginAtZero: true,
          grid: { color: colour("line") },
          border: { display: false },
          ticks: { color: ink, precision: 0, maxTicksLimit: 6, callback: (value) => `${value.toLocaleString()}${unit}` },
        },
      },
    },
  };
}

const drawn = new Map();

function draw() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const canvas = figure.querySelector("canvas");
    if (!canvas) continue;
    drawn.get(figure)?.destroy();
    drawn.set(figure, new Chart(canvas, settings(figure)));
    figure.dataset.drawn = "yes";
  }
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
draw();
new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
