import type { BlockSetting, LevelSetting, PreferenceChange, PreferenceStore } from "../../../src/preferences/index.js";

/** Settings in memory, by the rules of the port; answers are as of the call and come a turn of the event loop later. */
export class MemoryPreferenceStore implements PreferenceStore {
  readonly exclusive: boolean;
  /** Every call, in order. */
  readonly calls: string[] = [];
  /** Makes the next reads fail. */
  failures = 0;
  /** By the setting's name, in order of version. */
  readonly #changes = new Map<string, PreferenceChange>();
  #version = 0;

  constructor(exclusive: boolean) {
    this.exclusive = exclusive;
  }

  async version(): Promise<number> {
    return this.#answer("version", this.#version);
  }

  async changesSince(version: number, limit: number): Promise<PreferenceChange[]> {
    const changes = [...this.#changes.values()].filter((change) => change.version > version).slice(0, limit);
    return this.#answer(`changesSince ${version}`, changes);
  }

  async setLevel(setting: LevelSetting): Promise<number> {
    const { user, scope, id } = setting;
    return this.#write(["level", user, scope, id], { of: "level", ...setting, version: 0 });
  }

  async setBlock(setting: BlockSetting): Promise<number> {
    return this.#write(["block", setting.user, setting.other], { of: "block", ...setting, version: 0 });
  }

  async #write(parts: string[], change: PreferenceChange): Promise<number> {
    const version = ++this.#version;
    const name = JSON.stringify(parts);
    this.#changes.delete(name);
    this.#changes.set(name, { ...change, version });
    return this.#answer("write", version);
  }

  async #answer<T>(call: string, answer: T): Promise<T> {
    this.calls.push(call);
    const fails = call !== "write" && this.failures > 0;
    if (fails) this.failures -= 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (fails) throw new Error("the settings are away");
    return answer;
  }
}
