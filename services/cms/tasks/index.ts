export { type DeliverPorts, deliverTasks } from './deliver-tasks.ts';
export { type KeepTaskPorts, moveTask, queueTask } from './keep-task.ts';
export type { DeviceIntent, TaskEffect, TaskEffects, TaskRecords, TaskReport, TaskView } from './ports.ts';
export {
  actOfOutcome,
  EXHAUSTED,
  endsWithCard,
  isExhausted,
  isOpen,
  type Task,
  type TaskFailure,
  type TaskKind,
  type TaskWork,
  taskNotFound,
} from './task.ts';
export { AgentTask, FailureSchema, toAgentTask } from './task-schema.http.ts';
