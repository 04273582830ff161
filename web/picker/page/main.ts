// The dialog's page: connect, look, choose, and tell the page that asked.

import { Dialog } from "./dialog";
import { taken, type Given, type Refused } from "./given";
import { Opener } from "./opener";

const given = taken<Given>("given");
const refused = taken<Refused>("refused");

if (given) {
  const app = document.getElementById("app");
  if (app) new Dialog(app, given).start();
} else if (refused) {
  const opener = new Opener(refused.origin, refused.id, refused.isWindow);
  opener.ready();
  opener.refused(refused.code, refused.hint);
}
