import { call } from "./call.js";
import type { Channel, Reply } from "./channel.js";
import type { Service } from "./service.js";

/** Acts on members, whichever way they are done; the answer has the form that a socket gives. */
export type Act = "mute" | "unmute" | "ban" | "unban" | "kick";
export type Acting = (act: Act, user: unknown, payload?: unknown) => Promise<Reply>;

const ROUTES: Record<Act, [method: string, path: string]> = {
  mute: ["PUT", "mute"],
  unmute: ["DELETE", "mute"],
  ban: ["PUT", "ban"],
  unban: ["DELETE", "ban"],
  kick: ["POST", "kick"],
};

/** Over HTTP, with a server's key or a member's token. */
export function actingOverHttp(service: Service, credential: string): Acting {
  return async (act, user, payload) => {
    const [method, path] = ROUTES[act];
    const answer = await call(service, method, `/v1/members/${encodeURIComponent(String(user))}/${path}`, credential, payload);
    if (answer.status === 200) return { ok: true, ...answer.body };
    return { ok: false, status: answer.status, error: { code: String(answer.body.code), message: String(answer.body.detail) } };
  };
}

/** On a connection to `/moderation`. */
export function actingOnSocket(channel: Channel): Acting {
  return (act, user, payload) => channel.ask(act, { user, ...Object(payload) });
}
