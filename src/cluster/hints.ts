import type { Presence } from "../presence/index.js";
import type { StreamLog } from "../stream/index.js";
import type { MessageBus } from "./bus.js";
import { type Hint, hintsOf, messagesOf } from "./hint-codec.js";
import { Rubbish } from "./types.js";

const ENTRIES = "entries";

export interface HintsOptions {
  bus: MessageBus;
  log: Pick<StreamLog, "onAppend" | "hear" | "hearHead">;
  presence: Pick<Presence, "nodesOf">;
  /** Whether every node must hear of the stream's entries. */
  isShared: (stream: string) => boolean;
  /** The member whose stream it is; null where it is nobody's. */
  userOf: (stream: string) => string | null;
}

/** Brings what this node appends to the nodes that have somebody for it, and what those append to this node's log. */
export class Hints {
  readonly #options: HintsOptions;
  #toAll: Hint[] = [];
  #toNodes = new Map<string, Hint[]>();
  #flushing: NodeJS.Immediate | null = null;
  #stop: (() => void) | null = null;

  constructor(options: HintsOptions) {
    this.#options = options;
    options.bus.on(ENTRIES, (data) => this.#hear(hintsOf(data)));
  }

  start(): void {
    this.#stop = this.#options.log.onAppend(
      (stream, entry) => this.#tell(stream, { stream, entry }),
      (stream, head) => this.#tell(stream, { stream, head }),
    );
  }

  /** What was collected goes at once, and nothing more. */
  stop(): void {
    this.#stop?.();
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    this.#flush();
  }

  /** All that is appended in one turn of the event loop shares a message. */
  #tell(stream: string, hint: Hint): void {
    const { isShared, userOf, presence } = this.#options;
    if (isShared(stream)) {
      this.#toAll.push(hint);
    } else {
      const user = userOf(stream);
      if (user === null) return;
      let isElsewhere = false;
      for (const node of presence.nodesOf(user)) {
        isElsewhere = true;
        const hints = this.#toNodes.get(node);
        if (hints === undefined) this.#toNodes.set(node, [hint]);
        else hints.push(hint);
      }
      if (!isElsewhere) return;
    }
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = null;
    const { bus } = this.#options;
    const toAll = this.#toAll;
    const toNodes = this.#toNodes;
    this.#toAll = [];
    this.#toNodes = new Map();
    for (const message of messagesOf(toAll)) bus.toAll(ENTRIES, message);
    for (const [node, hints] of toNodes) for (const message of messagesOf(hints)) bus.toNode(node, ENTRIES, message);
  }

  #hear(hints: Hint[]): void {
    const { log } = this.#options;
    let failure: unknown = null;
    for (const hint of hints) {
      const error = "head" in hint ? log.hearHead(hint.stream, hint.head) : log.hear(hint.stream, hint.entry);
      failure ??= error;
    }
    if (failure !== null) throw new Rubbish("an entry that nobody can take", { cause: failure });
  }
}
