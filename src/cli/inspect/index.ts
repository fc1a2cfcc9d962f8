export { addInspect } from './inspect-command.ts'
