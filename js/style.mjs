export const HEIGHT = 300;
export const CELL = 46; // pixels between two chunks, at least: more of them scroll

export const STYLE = `
.wan-motion-timeline { contain: layout; box-sizing: border-box; width: 100%; height: ${HEIGHT}px; padding: 4px 8px;
    display: flex; flex-direction: column; gap: 3px; font: 11px sans-serif; color: var(--input-text, #ddd); }
.wan-motion-timeline [hidden] { display: none !important; }
.wan-motion-timeline .top { display: flex; gap: 8px; justify-content: space-between; height: 14px; white-space: nowrap; overflow: hidden; }
.wan-motion-timeline .now { font-weight: bold; }
.wan-motion-timeline .disk { opacity: 0.7; }
.wan-motion-timeline .track { flex: none; contain: inline-size; height: 76px; overflow: auto hidden; background: var(--comfy-input-bg, #222);
    border: 1px solid var(--border-color, #4e4e4e); border-radius: 4px; }
.wan-motion-timeline .lane { position: relative; min-width: 100%; height: 64px; }
.wan-motion-timeline .chunk { position: absolute; height: 25px; box-sizing: border-box; border-radius: 3px; background: #3f789e;
    border: 1px solid #0006; overflow: hidden; padding: 0 0 0 4px; color: #fff; font: inherit; text-align: left; white-space: nowrap;
    display: flex; align-items: center; gap: 3px; cursor: pointer; }
.wan-motion-timeline .chunk:nth-child(even) { top: 38px; background: #8a5a9e; }
.wan-motion-timeline .chunk:nth-child(odd) { top: 2px; }
.wan-motion-timeline .chunk img { height: 21px; max-width: 60%; border-radius: 2px; }
.wan-motion-timeline .chunk.planned { opacity: 0.55; }
.wan-motion-timeline .chunk.kept { border: 1px solid #fffc; }
.wan-motion-timeline .chunk.chosen { border: 1px dashed #fff; }
.wan-motion-timeline .chunk.making { outline: 1px solid #fff; animation: wan-motion-making 1.2s infinite alternate; }
@keyframes wan-motion-making { from { opacity: 0.5; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .wan-motion-timeline .chunk.making { animation: none; } }
.wan-motion-timeline .source { position: absolute; top: 2px; height: 60px; box-sizing: border-box; border-radius: 3px;
    border: 1px dashed #9999; overflow: hidden; padding-left: 4px; line-height: 58px; white-space: nowrap; }
.wan-motion-timeline .seam { position: absolute; top: 28px; width: 11px; height: 9px; margin-left: -5px; padding: 0;
    border: 0; border-radius: 2px; background: #9996; cursor: pointer; }
.wan-motion-timeline .seam.looks-uncut { background: #2fae66; }
.wan-motion-timeline .seam.visible { background: #e0a82e; }
.wan-motion-timeline .seam.obvious { background: #e0442e; }
.wan-motion-timeline .lane [aria-pressed=true] { box-shadow: 0 0 0 2px var(--input-text, #fff); z-index: 1; }
.wan-motion-timeline :focus-visible { outline: 2px solid var(--input-text, #fff); outline-offset: 1px; }
.wan-motion-timeline .view { flex: 1; min-height: 0; display: flex; gap: 6px; }
.wan-motion-timeline .media { flex: none; max-width: 62%; height: 100%; overflow: hidden; }
.wan-motion-timeline .media video, .wan-motion-timeline .media img { display: block; max-width: 100%; height: 100%; object-fit: contain; }
.wan-motion-timeline .words { flex: 1; overflow: auto; line-height: 13px; user-select: text; overflow-wrap: anywhere; }
.wan-motion-timeline textarea { flex: none; height: 34px; resize: none; box-sizing: border-box; width: 100%; font: inherit; border-radius: 3px;
    color: inherit; background: var(--comfy-input-bg, #222); border: 1px solid var(--border-color, #4e4e4e); }
.wan-motion-timeline .actions { flex: none; display: flex; flex-wrap: wrap; gap: 3px; min-height: 20px; }
.wan-motion-timeline .actions > * { height: 20px; font: inherit; color: inherit; background: var(--comfy-input-bg, #333);
    border: 1px solid var(--border-color, #4e4e4e); border-radius: 3px; padding: 0 6px; cursor: pointer; }
.wan-motion-timeline .actions :disabled { opacity: 0.4; cursor: default; }
`;
