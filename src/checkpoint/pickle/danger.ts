import { quoted } from '../../container/index.ts'
import type { GlobalReference } from '../value-tree.ts'

/*
 * What a foreign name could do to the program that loads the pickle, for the message. The refusal does not depend on it:
 * every name outside of the closed list is refused.
 */

/**
 * Python itself pickles bound methods by `getattr`, and models hold a `partial`: such a name alone, in a pickled module, is
 * no sign of an attack.
 */
export const REACHES_ATTRIBUTES = 'reaches any attribute of any object'

/** Names that are dangerous although their module is not, by full path. */
const BY_PATH: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'evaluates Python code':
      'builtins.eval builtins.exec builtins.execfile builtins.compile torch.jit.CompilationUnit numpy.testing._private.utils.runstring torch._dynamo.guards.GuardBuilder.get torch.utils._config_module.ConfigModule.load_config lib2to3.pgen2.pgen.ParserGenerator.make_label unittest.mock._importer',
    'imports a module, which runs its code':
      'builtins.__import__ pydoc.locate pydoc.safeimport unittest.mock._dot_lookup',
    [REACHES_ATTRIBUTES]:
      'builtins.getattr builtins.setattr builtins.delattr builtins.vars builtins.globals builtins.locals builtins.apply operator.attrgetter operator.methodcaller operator.itemgetter functools.partial functools.reduce builtins.map builtins.filter types.FunctionType types.CodeType types.MethodType _operator.attrgetter _operator.methodcaller _operator.itemgetter copyreg.__newobj__ copyreg._reconstructor',
    'reads or writes files':
      'builtins.open builtins.file builtins.input io.open io.FileIO _io.open _io.FileIO codecs.open numpy.fromfile numpy.memmap numpy.save torch.save torch.UntypedStorage.from_file pathlib.Path.write_text pathlib.Path.unlink',
    'loads another pickle, which could hold anything':
      'torch.load torch.serialization.load torch.serialization._load torch.serialization._legacy_load torch.storage._load_from_bytes torch.jit.load torch.package.PackageImporter numpy.load pandas.read_pickle pandas.io.pickle.read_pickle',
    'loads native code': 'torch.ops.load_library torch._ops.ops.load_library torch.classes.load_library',
    'ends the process': 'builtins.exit builtins.quit builtins.breakpoint',
  }).flatMap(([danger, paths]) => paths.split(' ').map((path) => [path, danger] as const)),
)

/** Modules whose every name is dangerous, with their submodules. */
const BY_MODULE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'runs a command of the operating system':
      'os posix nt subprocess _posixsubprocess _winapi pty popen2 multiprocessing concurrent asyncio uuid pydoc platform torch.utils.collect_env torch.utils.bottleneck distutils.spawn test.support',
    'changes or ends the running process': 'sys signal faulthandler gc atexit threading _thread',
    'evaluates Python code':
      'code codeop runpy timeit pdb bdb cProfile profile trace doctest idlelib lib2to3 torch._inductor torch.fx distutils setuptools numpy.f2py',
    'imports a module, which runs its code': 'imp importlib pkgutil zipimport modulefinder',
    'reads or writes files':
      'shutil tempfile glob fileinput linecache zipfile tarfile sqlite3 dbm logging mailbox csv configparser',
    'talks to the network':
      'socket _socket ssl urllib urllib2 http httplib ftplib smtplib poplib imaplib telnetlib xmlrpc requests httpx aiohttp webbrowser paramiko nntplib socketserver wsgiref asyncore asynchat selectors',
    'loads another pickle, which could hold anything':
      'pickle _pickle cPickle marshal shelve dill cloudpickle joblib torch.hub torch.utils.model_zoo',
    'loads native code': 'ctypes _ctypes cffi torch.utils.cpp_extension mmap',
    'installs packages': 'pip ensurepip venv',
  }).flatMap(([danger, modules]) => modules.split(' ').map((module) => [module, danger] as const)),
)

/** A verb phrase for a name that could do harm, `runs a command of the operating system`; undefined for all others. */
export function dangerOf({ module, name }: GlobalReference): string | undefined {
  const path = `${module}.${name}`
  const byPath = BY_PATH.get(path)
  if (byPath) return byPath
  // Protocol 4 allows dots in the name: 'torch' 'hub.load' is module 'torch.hub'.
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const danger = BY_MODULE.get(path.slice(0, end)) ?? BY_PATH.get(path.slice(0, end))
    if (danger) return danger
  }
  return undefined
}

/**
 * What loading a pickle with an unknown name would do: Python imports the module to find the name, whatever is done with it,
 * and an import runs the module's code.
 */
export function unknownDanger({ module, name }: GlobalReference, use: 'calls' | 'instantiates' | undefined): string {
  const imported = `imports the module ${shown(module)}, which runs its code`
  if (use === 'instantiates') return `${imported}, and instantiates its class ${shown(name)}`
  return use === 'calls' ? `${imported}, and calls its ${shown(name)}` : imported
}

/** Plain where it is an ordinary name, quoted where it could be anything. */
const shown = (text: string): string => (/^[\w.<>]{1,200}$/.test(text) ? text : quoted(text))
