"""Terms that say nothing about a topic: function words and the small change of chat, in English and Chinese."""

from __future__ import annotations

_ENGLISH = """
a an the and or but if then else of to in on at for from by with without about as into onto out up down over under
again more most some any all each few other others such only own same so too very just also than not no nor yes
is am are was were be been being do does did done doing have has had having can could will would shall should may
might must ought i me my mine myself we us our ours you your yours yourself he him his she her hers it its itself they
them their theirs themselves this that these those there here what which who whom whose when where why how because
while during before after between both through until against once ever even still already yet
im i'm i've i'd i'll you're you've you'll he's she's it's we're we've we'll they're they've that's there's what's
let's don't doesn't didn't isn't aren't wasn't weren't won't wouldn't can't cannot couldn't shouldn't haven't hasn't
dont cant doesnt didnt ive thats
get got getting go going gonna really like know think one want way thing things something anything much many lot lots
make makes made need see seems say said maybe actually well sure good great nice bit quite
hi hey hello welcome thanks thank thx ty cheers please pls sorry ok okay yeah yep yup nope nah haha hahaha lol lmao
oh ah um uh hmm hm wow cool awesome congrats bye everyone everybody anyone someone folks guys morning evening night
""".split()  # noqa: SIM905

_CHINESE = """
的 了 是 在 我 你 他 她 它 们 和 也 都 就 不 有 这 那 吗 呢 吧 啊 哦 嗯 哈 好 对 个
我们 你们 他们 大家 这个 那个 这里 那里 什么 怎么 为什 没有 可以 不是 就是 还是 但是 因为 所以 如果 一个 一下
知道 觉得 现在 谢谢 感谢 你好 您好 好的 哈哈 是的 不错 没事 早上 上好 晚上 家好 么样 是不 不会 自己 已经
时候 这样 那样 是什 有没 不知 我的 你的 他的 了吗 是我
""".split()  # noqa: SIM905

STOPWORDS = frozenset(_ENGLISH) | frozenset(_CHINESE)
