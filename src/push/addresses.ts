import { type LookupAddress, lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Addresses that are not of the public network (IANA's registries of special-purpose addresses). */
const PRIVATE_SUBNETS: ReadonlyArray<readonly [address: string, bits: number]> = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
  // IPv6 is public within 2000::/3 only, and there not in what wraps an address of IPv4 or is for documentation.
  ["::", 3],
  ["4000::", 2],
  ["8000::", 1],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

/** A list for each family: an address of IPv4 is one of IPv6 as well, by which all of them would be found within ::/3. */
const blocked = { 4: new BlockList(), 6: new BlockList() };
for (const [address, bits] of PRIVATE_SUBNETS) {
  const family = isIP(address) as 4 | 6;
  blocked[family].addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
}

/** An address of IPv4 as a network without it has it (RFC 6052), in the spelling of a URL. */
const WRAPPED = /^\[64:ff9b::([\da-f]{1,4}):([\da-f]{1,4})\]$/;

/** A push service that stands where it may not. */
export class PrivateAddress extends Error {
  override readonly name = "PrivateAddress";
}

/** Whether an address is of this machine or of a network behind it. Threat: members who have this service write to what only it can reach. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return blocked[4].check(address, "ipv4");
  if (family !== 6) return true;
  const wrapped = WRAPPED.exec(URL.canParse(`http://[${address}]`) ? new URL(`http://[${address}]`).hostname : "");
  if (wrapped === null) return blocked[6].check(address, "ipv6");
  const bytes = wrapped.slice(1).flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
  return blocked[4].check(bytes.join("."), "ipv4");
}

/** The address that a URL names itself, or null where it has a name. */
export function literalAddressOf({ hostname }: URL): string | null {
  const address = hostname.replace(/^\[|\]$/g, "");
  return isIP(address) === 0 ? null : address;
}

/** Looks names up for a connection, and finds public addresses only: whatever a name meant before, this is what is connected to. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => {
    if (error !== null) {
      callback(error, "");
      return;
    }
    const open = found.filter(({ address }) => !isPrivateAddress(address));
    const [first] = open;
    if (first === undefined) callback(new PrivateAddress(`${hostname} has no public address`), "");
    else if (options.all === true) callback(null, open);
    else callback(null, first.address, first.family);
  });
};
