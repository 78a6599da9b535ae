/** Colours, letters, and the frame of a page. */
export const base = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --surface: #f2f4f0; --line: #dde1dc; --ink: #15191c; --soft: #545d66;
  --accent: #0b6e62; --accent-soft: #d3e9e4; --on-accent: #ffffff;
  --good: #1f8a57; --busy: #2c6bbd; --bad: #b3261e; --bad-soft: #fae9e6; --still: #b4bbb6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101315; --surface: #181c1f; --line: #2a3035; --ink: #e6e9eb; --soft: #a2acb5;
    --accent: #63cdbb; --accent-soft: #163b36; --on-accent: #06231f;
    --good: #45b983; --busy: #6ea8ee; --bad: #ff9387; --bad-soft: #34191a; --still: #4d565d;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
.page { max-width: 1080px; margin: 0 auto; padding: 28px clamp(16px, 4vw, 40px) 64px; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 17px; line-height: 1.3; font-weight: 650; margin-bottom: 14px; }
h3 { font-size: 14px; line-height: 1.4; font-weight: 600; }
ul, ol { list-style: none; }
section { margin-top: 44px; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code, kbd { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.88em; }
kbd { padding: 1px 5px; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px; background: var(--surface); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.note, .under, .where, .axis, .legend { color: var(--soft); font-size: 13px; }
.note.bad { color: var(--bad); }
.where { font-size: inherit; font-weight: 400; }
.under { display: block; font-weight: 400; line-height: 1.45; }
bdi, dd, code, .where { overflow-wrap: anywhere; }
.number { white-space: nowrap; }

.head { display: grid; grid-template-columns: 1fr auto; gap: 4px 24px; align-items: end; }
.brand { grid-column: 1 / -1; font-size: 13px; font-weight: 600; color: var(--accent); letter-spacing: 0.01em; }
.head h1 { grid-column: 1; }
.facts { grid-column: 1; display: flex; flex-wrap: wrap; gap: 2px 20px; color: var(--soft); margin-top: 2px; }
.connection { grid-column: 2; grid-row: 2 / span 2; align-self: center; font-size: 13px; color: var(--soft); }
.connection.lost {
  grid-column: 1 / -1; grid-row: auto; margin-top: 14px; padding: 12px 16px; border-radius: 10px;
  background: var(--bad-soft); color: var(--ink); display: flex; flex-wrap: wrap; gap: 8px 24px; justify-content: space-between; align-items: center;
}
.tone { display: inline-flex; align-items: baseline; gap: 7px; color: var(--ink); }
td .tone { white-space: nowrap; }
.connection > .tone { color: var(--soft); }
.dot { width: 9px; height: 9px; border-radius: 50%; flex: none; background: var(--still); }
.good > .dot { background: var(--good); }
.busy > .dot { background: var(--busy); }
.bad > .dot { background: var(--bad); border-radius: 2px; transform: rotate(45deg) scale(0.9); }
.still > .dot { background: transparent; box-shadow: inset 0 0 0 2px var(--still); }

button {
  font: inherit; font-weight: 600; white-space: nowrap; padding: 7px 16px; border-radius: 8px; cursor: pointer;
  border: 1px solid var(--line); background: var(--paper); color: var(--ink);
}
button[type='submit'] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:disabled { background: var(--surface); border-color: var(--line); color: var(--soft); cursor: not-allowed; }
textarea, input {
  font: inherit; font-size: 16px; color: var(--ink); background: var(--paper); border: 1px solid var(--still); border-radius: 8px;
  padding: 8px 12px; width: 100%;
}
textarea::placeholder { color: var(--soft); opacity: 1; }

.warnings { margin-top: 24px; padding: 12px 16px; border-radius: 10px; background: var(--surface); }
.warnings li + li { margin-top: 6px; }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: 4px 24px; color: var(--soft); font-size: 13px; }

.token { max-width: 520px; margin: 12vh auto 0; }
.token .note { margin-top: 10px; }
.token form { display: grid; grid-template-columns: 1fr auto; gap: 6px 10px; margin: 22px 0; }
.token label { grid-column: 1 / -1; font-weight: 600; }

@media (max-width: 640px) {
  .page { padding-top: 18px; }
  section { margin-top: 36px; }
  .head { grid-template-columns: 1fr; }
  .connection { grid-column: 1; grid-row: auto; margin-top: 6px; }
}
@media (prefers-reduced-motion: no-preference) {
  .busy > .dot { animation: breathe 1.8s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: 0.35; } }
}
@media print { .page { max-width: none; } section { break-inside: avoid; } }
`;
