import { afterAll, beforeAll, describe } from "@jest/globals";
import { activityContract } from "./stores/activity.js";
import { announcementContract } from "./stores/announcements.js";
import { appendContract } from "./stores/append.js";
import { companionContract } from "./stores/companion.js";
import { directoryContract } from "./stores/directory.js";
import { inboxContract } from "./stores/inbox.js";
import { leaseContract } from "./stores/leases.js";
import { lifecycleContract } from "./stores/lifecycle.js";
import { memberContract } from "./stores/members.js";
import { preferenceContract } from "./stores/preferences.js";
import { publicationContract } from "./stores/publications.js";
import { pushContract } from "./stores/push.js";
import { readContract } from "./stores/read.js";
import { subjectContract } from "./stores/subjects.js";
import { taskContract } from "./stores/tasks.js";
import { topicContract } from "./stores/topics.js";
import { trimContract } from "./stores/trim.js";
import type { OpenStore, StoreUnderTest } from "./stores/under-test.js";

/** The promises that every kind of store keeps: run against each kind by a file of its own. */
export function storeContract(name: string, open: OpenStore): void {
  describe(`${name}: the promises of a store`, () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.destroy());
    // The tests of these groups share one store, so each uses streams and names of its own.
    const stores = () => store.stores;
    appendContract(stores);
    publicationContract(stores);
    companionContract(stores);
    readContract(stores);
    trimContract(stores);
    inboxContract(stores);
    directoryContract(stores);
    subjectContract(stores);
    memberContract(stores);
    preferenceContract(stores);
    announcementContract(stores);
    taskContract(stores);
    topicContract(stores);
    leaseContract(stores);
    pushContract(stores);
    activityContract(stores);
  });
  lifecycleContract(name, open);
}
