"""Every node of the host's whose output a chunk may be made from: whatever it is set to is in the output's identity."""

import warnings

import pytest
from wan_motion_chunks.tests.host import core_nodes
from wan_motion_chunks.tests.host.identity_exceptions import NO_EFFECT, NOT_RUN
from wan_motion_chunks.tools.environment import HOST_VERSION
from wan_motion_chunks.wan.identity import identify, live


@pytest.fixture(scope="module")
def known(tiny, list_folder, tmp_path_factory):
    core_nodes.core_nodes()
    core_nodes.fill_folders(tmp_path_factory.mktemp("models"), tiny[0], list_folder)
    return core_nodes.values(tiny)


def unseen(name, node, known):
    """Inputs of a node whose changes are not seen, with the values that they were changed to.

    Besides ``unknown`` for whatever is unknown, and ``itself`` where the identity is another each time.
    """
    given, widgets = core_nodes.arguments(name, node, known)
    before = identify(*core_nodes.run(node, given)[0])
    found = [("unknown", words) for words in before.unknown]
    found += [("itself", "another")] * (identify(*core_nodes.run(node, given)[0]) != before)
    for key, (kind, options) in widgets.items():
        for values in core_nodes.changes(kind, options, given[key]):
            if all(identify(*core_nodes.run(node, given | {key: value})[0]) == before for value in values):
                found.append((key, values))
    return found


def test_every_input_of_every_core_node_is_in_the_identity_of_its_output(known):
    import comfyui_version

    wrong, not_run = [], []
    for name, node in core_nodes.core_nodes().items():
        if name in NOT_RUN:
            continue
        try:
            found = unseen(name, node, known)
        except Exception as error:  # noqa: BLE001  whatever a node of the host's raises
            not_run.append(f"{name}: {type(error).__name__}: {error}")
            continue
        wrong += [f"{name}.{key} to {values}" for key, values in found if (name, key) not in NO_EFFECT]
        live.leave()
    if comfyui_version.__version__ == HOST_VERSION:
        wrong += not_run
    elif not_run:  # nodes that the table's host does not have, and what they need besides
        warnings.warn("not run:\n" + "\n".join(not_run), stacklevel=1)
    assert not wrong, "\n".join(wrong)


def test_an_exception_is_one(known):
    import comfyui_version

    if comfyui_version.__version__ != HOST_VERSION:
        pytest.skip(f"the table is that of ComfyUI {HOST_VERSION}")
    nodes, needless = core_nodes.core_nodes(), []
    for name in {name for name, _ in NO_EFFECT if name in nodes}:
        found = {key for key, _ in unseen(name, nodes[name], known)}
        needless += [(name, key) for of, key in NO_EFFECT if of == name and key not in found]
    assert not needless
