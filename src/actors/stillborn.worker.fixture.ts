/** Stands for a thread whose modules cannot be loaded. */
const reason = 'stillborn'
if (reason.length > 0) throw new Error(reason)

export default async function run(): Promise<void> {}
