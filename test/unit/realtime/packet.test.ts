import { describe, expect, it } from "@jest/globals";
import { Packet, SharedPackets } from "../../../src/realtime/packet.js";

describe("a packet", () => {
  it.each([10, 125, 126, 65_535, 65_536])("of %d bytes is one WebSocket frame, made once", (bytes) => {
    const packet = new Packet("/n", `["é",${'"'.padEnd(bytes - 14, "x")}"]`);
    const frame = packet.optionsFor("websocket").wsPreEncodedFrame?.[0] as Buffer;
    expect(packet.optionsFor("websocket").wsPreEncodedFrame?.[0]).toBe(frame);
    const text = Buffer.from(`42/n,${packet.event}`);
    const head = text.length < 126 ? 2 : text.length < 65_536 ? 4 : 10;
    expect(frame.length).toBe(head + text.length);
    expect(frame[0]).toBe(0x81);
    expect(frame[1]).toBe(head === 2 ? text.length : head === 4 ? 126 : 127);
    expect(frame.subarray(head).equals(text)).toBe(true);
  });

  it("has no frame for a transport that takes texts", () => {
    expect(new Packet("/n", "[]").optionsFor("polling")).toEqual({ compress: false });
  });
});

describe("shared packets", () => {
  it("are one for the same text of the same epoch, and another for all else", () => {
    const shared = new SharedPackets();
    const make = () => new Packet("/n", "[]");
    const packet = shared.of("e", "1", make);
    expect(shared.of("e", "1", make)).toBe(packet);
    expect(shared.of("e", "2", make)).not.toBe(packet);
    expect(shared.of("f", "1", make)).not.toBe(packet);
  });
});
