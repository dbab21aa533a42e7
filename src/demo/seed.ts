/** What a fresh demo forum holds: three members and three threads, one by each, so that every reason to be told can be tried. */

export interface DemoMember {
  id: string;
  name: string;
  /** CSS hex colour of the member's disc, the same as the bell gives them; dark enough for white letters on it. */
  colour: string;
}

export const MEMBERS: readonly DemoMember[] = [
  { id: "ada", name: "Ada", colour: "#2f6f9f" },
  { id: "bruno", name: "Bruno", colour: "#7a6220" },
  { id: "chidi", name: "Chidi", colour: "#3d7a3a" },
];

/** Who makes announcements: signs in as the others do, and writes nothing in the forum. */
export const MODERATOR = { id: "mia", name: "Mia", roles: ["moderator"] } as const;

export interface SeedThread {
  id: string;
  author: string;
  title: string;
  text: string;
  /** Minutes before the first start at which it was "written". */
  minutesAgo: number;
  comments: Array<{ author: string; text: string; minutesAgo: number }>;
}

/** Newest first: Bruno's, so that what a newcomer writes as Ada in the first box that they see rings his bell. */
export const THREADS: readonly SeedThread[] = [
  {
    id: "fourth-bell",
    author: "bruno",
    title: "The fourth bell strikes late",
    text: "Since the cold came, the fourth is a hair behind the others. Is it the rope, the clapper, or me?",
    minutesAgo: 190,
    comments: [{ author: "ada", text: "It did the same last winter. The rope was wet.", minutesAgo: 172 }],
  },
  {
    id: "tuesday-practice",
    author: "ada",
    title: "Who can ring on Tuesday?",
    text: "Practice starts at half past seven. We need six, and with the two from next door we are five so far.",
    minutesAgo: 1_530,
    comments: [
      { author: "bruno", text: "Count me in. I can bring the new muffles.", minutesAgo: 1_410 },
      { author: "chidi", text: "I may be ten minutes late. Please start without me.", minutesAgo: 1_320 },
    ],
  },
  {
    id: "keys",
    author: "chidi",
    title: "Tower keys: who has the second set?",
    text: "One set hangs in the vestry. The other one should be with one of us, and it is not with me.",
    minutesAgo: 4_400,
    comments: [],
  },
];
