"""filestack-js 4.3.8 as it is published, in Node: it only learns another zone, whose names lead to the house.

It is a development package of `web/picker`, as for the browser. Its adapter takes no host with a port in it, which no house of
the world's has; so the way from its addresses to the house is laid below it, in Node's own `http`.
"""

import asyncio
import json
from pathlib import Path
from shutil import which
from typing import Any

from tests.api.websites import signed
from tests.backends.pictures import picture
from tests.browser.shop import Shop
from tests.browser.test_clients import PACKAGES, ZONE
from tests.walks.stage import Stage

NODE = """
const { readFileSync } = require("node:fs"), http = require("node:http"), https = require("node:https");
const [packages, house, zone, key, security, file] = JSON.parse(process.argv[1]);
const home = new URL(house), ask = http.request;
const lead = (options, heard) => {
  const name = options.host.split(":")[0].split(".")[0];
  const processed = ["cdn", "process"].includes(name) && options.path !== "/process";
  return ask({ ...options, agent: undefined, protocol: "http:", host: home.hostname, port: home.port,
    path: (processed ? "/cdn" : "") + options.path }, heard);
};
http.request = https.request = lead;
const filestack = require(packages + "/filestack-js");
(async () => {
  const client = filestack.init(key, { cname: zone, security });
  const { handle } = await client.upload(file, {}, { location: "s3", path: "node/" });
  const two = await client.multiupload([file, Buffer.from("Lemon cake")]);
  const fast = await client.upload(Buffer.alloc(9 * 2 ** 20, 7), { intelligent: true }, { filename: "large.bin" });
  const metadata = await client.metadata(handle, { size: true, width: true, path: true });
  const whole = (await client.download(handle)).data.length;
  const copied = await client.storeURL(house + "/api/file/" + handle, { filename: "copy.png" });
  const { permissions } = await client.prefetch({});
  await client.remove(handle);
  const gone = await client.metadata(handle).then(() => 0, (error) => error.response.status);
  const transformed = client.transform(copied.handle, { resize: { width: 20, height: 10, fit: "crop" }, flip: true });
  console.log(JSON.stringify({ handle, two: two.map((one) => one.size), fast: fast.size, metadata, whole, copied, permissions, gone, transformed }));
})();
"""


async def test_filestack_in_node(stage: Stage, shop: Shop, tmp_path: Path) -> None:
    node = which("node")
    assert node is not None
    picking = stage.house.picking
    app = await picking.apps.by_key(shop.key)
    await picking.apps.change(app.workspace_id, app.id, {"secure_reads": True, "secure_writes": True})
    file = tmp_path / "drawn.png"
    file.write_bytes(picture("png", 60, 40))
    calls = ["read", "stat", "store", "convert", "remove"]
    policy = signed(shop.secret, expiry=int(stage.clock().timestamp()) + 600, call=calls)
    given = json.dumps([str(PACKAGES), shop.host, ZONE, shop.key, policy, str(file)])
    process = await asyncio.create_subprocess_exec(
        node, "-e", NODE, given, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, wrong = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, wrong.decode()
    done: dict[str, Any] = json.loads(said)
    size = file.stat().st_size
    assert done["metadata"] == {
        "size": size,
        "width": 60,
        "path": f"node/{done['handle']}_drawn.png",
        "handle": done["handle"],
    }
    assert (done["two"], done["fast"], done["whole"], done["gone"]) == ([size, 10], 9 * 2**20, size, 404)
    assert (done["copied"]["filename"], done["copied"]["size"]) == ("copy.png", size)
    assert done["permissions"]["intelligent_ingestion"] is True
    path = done["transformed"].removeprefix(f"https://cdn.{ZONE}")
    shown = await picking.conversions.making.images.inspect((await stage.http.get(f"/cdn{path}")).content)
    assert (shown.width, shown.height) == (20, 10)
