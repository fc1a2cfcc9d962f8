// Has to parse on any Node that knows ES modules: it is what tells its user that Node is too old.

/** The oldest Node of each supported line, as `engines` of package.json says it; a test compares them. */
const OLDEST = [
  [20, 19],
  [22, 12],
]

/**
 * Says what is wrong with a Node version, or null when it will do.
 * @param {string} version as in `process.versions.node`
 * @returns {string | null}
 */
export function nodeVersionProblem(version) {
  const parts = version.split('.').map(Number)
  const major = parts[0]
  const minor = parts[1]
  const newest = OLDEST[OLDEST.length - 1]
  const fits =
    major > newest[0] ||
    OLDEST.some(function (oldest) {
      return major === oldest[0] && minor >= oldest[1]
    })
  if (fits) return null
  const wanted = OLDEST.map(function (oldest) {
    return oldest.join('.')
  })
  return (
    'Node ' +
    version +
    ' is too old: nograd needs Node ' +
    wanted.join(' or newer in its line, or ') +
    ' or newer. ' +
    'Install the current LTS release of Node (its site, your package manager, or `nvm install 22`) and start again.'
  )
}
