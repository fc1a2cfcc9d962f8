export { addCompare } from './compare-command.ts'
