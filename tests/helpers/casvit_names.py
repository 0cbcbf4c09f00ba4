"""The authors' names of the weights of a CAS-ViT, written by hand."""

PARTS = {
    "stem.conv1": "patch_embed.0",
    "stem.norm1": "patch_embed.1",
    "stem.conv2": "patch_embed.3",
    "stem.norm2": "patch_embed.4",
    "local.conv1": "local_perception.network.0",
    "local.norm": "local_perception.network.1",
    "local.depthwise": "local_perception.network.2",
    "local.conv2": "local_perception.network.4",
    "mixer.qkv": "attn.qkv",
    "mixer.depthwise": "attn.dwc",
    "mixer.proj": "attn.proj",
    "mixer.query_gates.spatial.depthwise": "attn.oper_q.0.block.0",
    "mixer.query_gates.spatial.norm": "attn.oper_q.0.block.1",
    "mixer.query_gates.spatial.proj": "attn.oper_q.0.block.3",
    "mixer.query_gates.channel.proj": "attn.oper_q.1.block.1",
    "mixer.key_gates.spatial.depthwise": "attn.oper_k.0.block.0",
    "mixer.key_gates.spatial.norm": "attn.oper_k.0.block.1",
    "mixer.key_gates.spatial.proj": "attn.oper_k.0.block.3",
    "mixer.key_gates.channel.proj": "attn.oper_k.1.block.1",
}


def their_name(key):
    """The authors' name of one of our weights."""
    module, leaf = key.rsplit(".", 1)
    words = module.split(".")
    if words[0] == "norms":
        return f"norm{2 * int(words[1])}.{leaf}"
    if words[0] != "levels":
        return f"{PARTS.get(module, module)}.{leaf}"
    level, rest = int(words[1]), ".".join(words[4:])
    if words[2] == "downsample":
        return f"network.{2 * level - 1}.{words[3]}.{leaf}"
    return f"network.{2 * level}.{words[3]}.{PARTS.get(rest, rest)}.{leaf}"
