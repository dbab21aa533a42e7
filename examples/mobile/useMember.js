import { useEffect, useReducer, useRef } from "react";
import { AppState } from "react-native";
import { io } from "socket.io-client";
import { followMember } from "./member.js";

/** What a screen shows of a member's inbox, and what can be done to it. `token` gives the newest token. */
export function useMember(url, token) {
  const [inbox, dispatch] = useReducer(next, { items: [], unread: 0, status: "away" });
  const member = useRef(null);
  useEffect(() => {
    let stopped = false;
    // A cursor goes with what it has led to. This hook keeps no items over a start of the app, so it begins with a snapshot; an app that has
    // a database keeps both there.
    const memory = { load: async () => ({}), save: async () => {} };
    followMember({
      io,
      url,
      token,
      memory,
      onSnapshot: (stream, items, unread) => stream === "inbox" && dispatch({ kind: "snapshot", items, unread }),
      onEntry: (stream, entry) => stream === "inbox" && dispatch(entry),
      onStatus: (status) => dispatch({ kind: "status", status }),
    }).then((following) => {
      if (stopped) following.stop();
      else member.current = following;
    });
    // A connection that was frozen in the background looks alive for up to 25 s.
    const watching = AppState.addEventListener("change", (state) => state === "active" && member.current?.wake());
    return () => {
      stopped = true;
      watching.remove();
      member.current?.stop();
    };
  }, [url, token]);
  return { ...inbox, read: (ids) => member.current?.read(ids), seen: () => member.current?.seen() };
}

/** The table of kinds of docs/PROTOCOL.md. */
function next(inbox, { kind, data, at, unread, ...rest }) {
  const change = (ids, fields) => inbox.items.map((item) => (ids.includes(item.id) ? { ...item, ...fields(item) } : item));
  const state = unread === undefined ? inbox : { ...inbox, unread };
  switch (kind) {
    case "status":
      return { ...inbox, status: rest.status };
    case "snapshot":
      return { ...state, items: rest.items };
    case "notification":
    case "notification.updated": {
      const others = inbox.items.filter(({ id }) => id !== data.id);
      return { ...state, items: [data, ...others].sort((one, other) => other.seq - one.seq) };
    }
    case "notification.rescinded":
      return { ...state, items: inbox.items.filter(({ id }) => id !== data.id) };
    case "read":
      return { ...state, items: change(data.ids, (item) => ({ readAt: item.readAt ?? at })) };
    case "unread":
      return { ...state, items: change(data.ids, () => ({ readAt: null, archivedAt: null })) };
    case "archived":
      return { ...state, items: change(data.ids, (item) => ({ readAt: item.readAt ?? at, archivedAt: at })) };
    case "unarchived":
      return { ...state, items: change(data.ids, () => ({ archivedAt: null })) };
    case "read_all": {
      const read = inbox.items.filter(({ seq }) => seq <= data.upTo).map(({ id }) => id);
      return { ...state, items: change(read, (item) => ({ readAt: item.readAt ?? at })) };
    }
    default:
      return state;
  }
}
