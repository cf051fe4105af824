// Runs a Ruby of WebAssembly: node run.mjs PACKAGES RUBY LIB SCRIPT OUT
//
// PACKAGES is the folder with node_modules, RUBY a package of it ("4.0-wasm-wasi"), LIB a folder that the program sees
// as /lib, SCRIPT the program, OUT the folder for what it writes into /out. The files are in memory: Node's own WASI
// aborts where Ruby looks for a file that is not there.
import { createRequire } from "node:module";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const [packages, ruby, lib, script, out] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { WASI, File, Directory, OpenFile, ConsoleStdout, PreopenDirectory } = require("@bjorn3/browser_wasi_shim");
const { RubyVM } = require("@ruby/wasm-wasi/dist/vm");

async function tree(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const read = async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return [entry.name, new Directory(await tree(path))];
    return entry.name.endsWith(".rb") ? [entry.name, new File(await readFile(path))] : null;
  };
  return new Map((await Promise.all(entries.map(read))).filter((entry) => entry));
}

const written = new PreopenDirectory("/out", new Map());
const files = [
  new OpenFile(new File([])),
  ConsoleStdout.lineBuffered((line) => console.log(line)),
  ConsoleStdout.lineBuffered((line) => console.error(line)),
  new PreopenDirectory("/lib", await tree(lib)),
  written,
];
const wasip1 = new WASI(["ruby"], [], files, { debug: false });
const module = await WebAssembly.compile(await readFile(join(packages, "node_modules/@ruby", ruby, "dist/ruby+stdlib.wasm")));
const { vm } = await RubyVM.instantiateModule({ module, wasip1 });
vm.eval(await readFile(script, "utf8"));
for (const [name, file] of written.dir.contents) {
  if (file instanceof File) await writeFile(join(out, name), file.data);
}
