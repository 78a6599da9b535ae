/** The parts of a picture: figures, charts, tables, the timeline, questions and answers. */
export const parts = `
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 14px 24px; margin-bottom: 14px; }
.figure { line-height: 1.3; }
.figure strong { display: block; font-size: 24px; font-weight: 600; letter-spacing: -0.015em; }
.figure span { color: var(--soft); font-size: 13px; }
.figure.bad strong { color: var(--bad); }
progress { appearance: none; display: block; width: 100%; height: 8px; border: 0; border-radius: 4px; overflow: hidden; background: var(--surface); margin: 4px 0 8px; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); border-radius: 4px; }
progress::-moz-progress-bar { background: var(--accent); border-radius: 4px; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 26px 40px; }
.chart figcaption { display: flex; justify-content: space-between; gap: 16px; align-items: baseline; margin-bottom: 6px; }
.chart .now { color: var(--soft); font-size: 13px; text-align: right; }
.plot { position: relative; }
.ceiling { position: absolute; top: 2px; left: 0; font-size: 12px; line-height: 1.2; color: var(--soft); background: var(--paper); padding-right: 6px; }
.drawing { display: block; width: 100%; height: 92px; overflow: visible; }
.drawing .ground { stroke: var(--line); stroke-width: 1; }
.drawing .break { stroke: var(--still); stroke-width: 1; stroke-dasharray: 2 3; }
.drawing .below { fill: var(--accent-soft); }
.drawing .line { fill: none; stroke: var(--accent); stroke-width: 1.6; stroke-linejoin: round; }
.drawing .line.dashed { stroke: var(--soft); stroke-dasharray: 4 3; stroke-width: 1.2; }
.axis { display: flex; justify-content: space-between; gap: 12px; margin-top: 6px; }
.axis span:not(:nth-child(2)) { white-space: nowrap; }
.gpus .axis span:nth-child(2) { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin-top: 6px; }
.key::before { content: ""; display: inline-block; width: 16px; border-top: 2px solid var(--accent); margin-right: 6px; vertical-align: 4px; }
.key.dashed::before { border-top: 2px dashed var(--soft); }
.key.box::before { border: 0; width: 12px; height: 10px; border-radius: 2px; vertical-align: -1px; background: var(--still); }
.key.box.good::before { background: var(--good); }
.key.box.busy::before { background: var(--busy); }
.key.box.bad::before { background: var(--bad); }
.key.box.still::before { opacity: 0.5; }

.gpus { margin-top: 18px; display: grid; gap: 16px; }
.gpus li { display: grid; grid-template-columns: minmax(190px, 1.2fr) 2fr 2fr; gap: 6px 28px; align-items: end; }
.gauge .now { font-size: 13px; color: var(--soft); margin-bottom: 2px; }
.gauge .drawing { height: 34px; }
.gauge.memory .below { fill: var(--line); }
.gauge.memory .line { stroke: var(--soft); }

table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 10px 16px 10px 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; padding-bottom: 6px; font-size: 13px; font-weight: 400; color: var(--soft); }
tbody th { font-weight: 600; }
.reason { max-width: 46ch; }

.timeline { display: grid; gap: 7px; }
.timeline li { display: grid; grid-template-columns: 150px 1fr; gap: 16px; align-items: center; font-size: 13px; }
.lane-drawing { display: block; width: 100%; height: 14px; border-radius: 3px; background: var(--surface); }
.span.good { fill: var(--good); }
.span.busy { fill: var(--busy); }
.span.bad { fill: var(--bad); }
.span.still { fill: var(--still); opacity: 0.45; }
.timeline + .axis { margin-left: 166px; }
.gpus .axes { align-items: start; margin-top: -10px; }
.gpus .axis { grid-column: 2; margin: 0; }
.gpus .axis + .axis { grid-column: 3; }
.events { margin-top: 14px; }
.events li { padding: 4px 0; font-size: 14px; }
.events time { color: var(--soft); }

summary { cursor: pointer; padding: 4px 0; }
summary::marker { color: var(--soft); }
.reason-group { border-top: 1px solid var(--line); padding: 4px 0; }
.note + .reason-group { margin-top: 12px; }
.reason-group .count { color: var(--soft); margin-left: 10px; }
.reason-group li { break-inside: avoid; }
.reason-group ul { padding: 2px 0 8px 20px; font-size: 14px; color: var(--soft); columns: 2 320px; column-gap: 32px; }

.ask { margin-top: 30px; padding: 20px clamp(14px, 3vw, 24px) 22px; border-radius: 14px; background: var(--surface); }
.ask h2 { margin-bottom: 10px; }
.question { display: flex; gap: 10px; align-items: flex-end; margin-bottom: 8px; }
.question button { min-height: 42px; }
.question textarea { resize: none; field-sizing: content; max-height: 40vh; min-height: 42px; line-height: 1.55; }
.answer:not(:empty) { margin-top: 20px; }
.answered { display: grid; gap: 8px 40px; align-items: start; }
@media (min-width: 900px) { .answered:has(.sources) { grid-template-columns: minmax(0, 7fr) minmax(0, 5fr); } }
.words, .answer > * { max-width: 74ch; }
.answer > .answered { max-width: none; }
.asked { font-size: 16px; margin-bottom: 6px; }
.said { white-space: pre-wrap; font-size: 16px; line-height: 1.65; margin: 6px 0 10px; }
[aria-busy='true'] .said::after { content: ""; display: inline-block; width: 7px; height: 1em; margin-left: 2px; vertical-align: -2px; background: var(--accent); }
.cite {
  padding: 1px 6px; margin-left: 1px; border-radius: 5px; text-decoration: none;
  font-size: 0.78em; font-weight: 600; background: var(--accent-soft); color: var(--accent); vertical-align: 1px;
}
a.cite:hover { background: var(--accent); color: var(--on-accent); }
span.doubt { text-decoration: underline dotted var(--bad); text-decoration-thickness: 2px; text-underline-offset: 0.22em; }
p.doubt { color: var(--bad); margin-bottom: 10px; }
.passages { margin: 4px 0 12px; }
.passage { border-top: 1px solid var(--line); padding: 5px 0; }
.passage summary { font-size: 14px; }
.passage .cite { margin: 0 8px 0 3px; }
.passage .title { font-weight: 600; }
.passage-text { white-space: pre-wrap; font-size: 14px; padding: 6px 0 6px 20px; border-left: 3px solid var(--accent-soft); padding-left: 14px; margin: 6px 0 6px 4px; }
.passage .file { margin-left: 4px; font-size: 12px; }
.problem { padding: 12px 16px; border-radius: 10px; background: var(--bad-soft); }
.problem p + p { margin-top: 8px; }

.pairs { display: grid; grid-template-columns: minmax(140px, max-content) 1fr; gap: 4px 24px; font-size: 14px; margin-bottom: 10px; }
.pairs dt { color: var(--soft); }

@media (hover: none) { .keys { display: none; } }
@media (max-width: 640px) {
  .figures { grid-template-columns: repeat(2, 1fr); }
  .gpus li { grid-template-columns: 1fr 1fr; }
  .gpus h3 { grid-column: 1 / -1; }
  .gpus .axis { grid-column: 1; }
  .gpus .axis + .axis { grid-column: 2; }
  .timeline li { grid-template-columns: 1fr; gap: 2px; }
  .timeline + .axis { margin-left: 0; }
  .pairs { grid-template-columns: 1fr; gap: 0; }
  .pairs dd { margin-bottom: 8px; }
  table, thead, tbody, tr, th, td { display: block; }
  thead { display: none; }
  tbody th, td { border: 0; padding: 2px 0; }
  tr { border-top: 1px solid var(--line); padding: 10px 0; }
  .services td:nth-child(3)::before { content: "GPUs "; color: var(--soft); }
  .services td:nth-child(4)::before { content: "restarts "; color: var(--soft); }
}
`;
