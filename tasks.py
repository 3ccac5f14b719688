"""The root Invoke collection: `invoke -l` lists every task, `invoke --help TASK` explains one."""

from floe_ops.tasks import namespace

ns = namespace()
