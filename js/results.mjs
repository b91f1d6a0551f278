/** What each node's last run showed, and what its present one shows: opening a workflow again makes its nodes anew. */

import { api } from "../../scripts/api.js";
import { nodeOf, root } from "./graph.mjs";

const LIVE = "wan_motion_chunks.timeline";
const ENDS = ["execution_success", "execution_error", "execution_interrupted"];
const LOOKED_BACK = 16; // prompts of the host's history

const results = new Map();

const identity = (node) => `${node.graph?.id}:${node.id}`;

export const resultOf = (node) => results.get(identity(node)) ?? null;

export const remember = (node, shown) => results.set(identity(node), shown);

/**
 * @param {(node: object, detail: {prompt_id: string, words: string, timeline: object | null}) => void} progress
 * @param {(promptId: string) => void} end told when a prompt ends, however it does
 */
export function listen(progress, end) {
    api.addEventListener(LIVE, ({ detail }) => {
        const node = nodeOf(detail.node);
        if (node) progress(node, detail);
    });
    for (const name of ENDS) api.addEventListener(name, ({ detail }) => end(detail.prompt_id));
}

/** Find again, after the page was loaded anew, what the host still knows of the workflow that is open. */
export async function recollect(restore) {
    const workflow = root()?.id;
    if (!workflow) return;
    const answer = await api.fetchApi(`/history?max_items=${LOOKED_BACK}`);
    const entries = answer.ok ? Object.values(await answer.json()).reverse() : [];
    if (root()?.id !== workflow) return; // another one was opened meanwhile, whose nodes may have the same ids
    for (const entry of entries) {
        if (entry.prompt?.[3]?.extra_pnginfo?.workflow?.id !== workflow) continue;
        for (const [id, output] of Object.entries(entry.outputs ?? {})) {
            const shown = output.wan_motion_timeline?.[0];
            const node = shown ? nodeOf(id) : null;
            if (!node || resultOf(node)) continue;
            remember(node, shown);
            restore(node);
        }
    }
}
