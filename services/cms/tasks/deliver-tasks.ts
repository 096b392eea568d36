import type { Tx } from '../kernel/unit-of-work.ts';
import { type KeepTaskPorts, markDelivered, moveTask } from './keep-task.ts';
import type { DeviceIntent, TaskRecords, TaskView } from './ports.ts';
import { EXHAUSTED, isExhausted } from './task.ts';

export interface DeliverPorts extends KeepTaskPorts {
  readonly tasks: TaskRecords;
}

/** The rest is for the next check-in: a device does one after the other. */
const AT_ONCE = 20;

/**
 * What the device is to do now, oldest first. Each is given again at every check-in until it is reported, and given up when
 * it has been given too often. In the transaction of the check-in, which holds the device.
 * @param withheld ids of tasks that have to wait for another one.
 * @param givenUp told of each task that is given up, for what hangs on it.
 */
export async function deliverTasks(
  ports: DeliverPorts,
  tx: Tx,
  intent: DeviceIntent,
  withheld: ReadonlySet<string>,
  givenUp: (task: TaskView) => Promise<void>,
): Promise<TaskView[]> {
  const given: TaskView[] = [];
  for (const task of await ports.tasks.lockOpenOfDevice(tx, intent.actor.id, AT_ONCE)) {
    if (withheld.has(task.id)) continue;
    if (isExhausted(task)) {
      await moveTask(ports, tx, intent, task, 'fail', EXHAUSTED);
      await givenUp(task);
    } else {
      await markDelivered(ports, tx, intent, task);
      given.push(task);
    }
  }
  return given;
}
