// English and Chinese: the texts of the page, and numbers and times in them.

const ZH = {
  "Runs": "训练", "Skip to the content": "跳到正文", "Language": "语言",
  "connected": "已连接", "not connected; trying again": "未连接，正在重试", "paused while hidden": "隐藏时暂停",
  "Search": "搜索", "name, system, data, verdict": "名称、系统、数据、诊断", "Sort by": "排序", "State": "状态", "all": "全部",
  "last update": "最近更新", "name": "名称", "progress": "进度", "state": "状态",
  "training": "训练中", "finished": "已完成", "stopped": "已停止", "diverged": "已发散", "broken": "无法读取",
  "{n} runs": "{n} 次训练", "{n} of {m} runs": "{n} / {m} 次训练", "No run matches.": "没有符合的训练。",
  "There is no run in {root} yet.": "{root} 中还没有训练。", "Train a first one, and it appears here:": "训练第一个，它就会出现在这里：",
  "{n} of {m} images": "{n} / {m} 张图像", "{n} images": "{n} 张图像", "{n} a second": "每秒 {n}", "{t} left": "还剩 {t}", "{t} ago": "{t}前", "now": "刚刚",
  "seed {n}": "种子 {n}", "last sample of {name}": "{name} 的最新样本",
  "Samples": "样本", "Curves": "曲线", "Verdicts": "诊断结果", "Figures": "指标", "Recipe": "配方", "Log": "日志", "Commands": "命令", "The run": "概况", "Events": "事件",
  "play": "播放", "pause": "暂停", "previous sample": "上一个样本", "next sample": "下一个样本", "fit": "适应宽度", "follow the newest": "跟随最新",
  "moment": "时刻", "{i} of {n}, {images} images": "第 {i} 个，共 {n} 个，{images} 张图像",
  "The same noise, or the same crops, at every moment; nothing is chosen by hand. Arrow keys move, the space bar plays.": "每个时刻都是同样的噪声或同样的裁剪，没有挑选。方向键移动，空格键播放。",
  "There is no sample yet.": "还没有样本。", "sentences": "句子",
  "images": "图像数", "hours": "小时", "linear": "线性", "logarithmic": "对数", "smoothing": "平滑", "x axis": "横轴", "y axis": "纵轴",
  "real images seen": "已看过的真实图像", "hours of training": "训练小时数",
  "The colours behind the curves are the verdicts of the diagnosis. Click a curve to see the samples of that moment. A loss shows the state of the game, not the quality of the images.": "曲线背后的颜色是诊断结果。点击曲线可查看该时刻的样本。损失反映的是博弈的状态，而不是图像的质量。",
  "adversarial": "对抗损失", "all {n} fields": "全部 {n} 个字段", "The log is empty.": "日志是空的。", "The run was not diagnosed.": "这次训练没有诊断。",
  "from": "从", "to": "到", "verdict": "诊断", "evidence": "依据",
  "measure": "指标", "value [95 % interval]": "数值 [95 % 区间]", "unit": "单位", "images seen": "已看图像", "protocol": "协议",
  "Logged during training": "训练中记录", "Rough, on few images; not for comparison with other work.": "粗略，只用少量图像，不可与其他工作比较。",
  "Figures are comparable only if every field of their protocol agrees.": "只有协议的每一项都一致，指标才能比较。",
  "The run has not been evaluated.": "还没有评估。", "field": "字段", "value": "数值", "Find a field": "查找字段",
  "last {n} of {m} lines": "最后 {n} 行，共 {m} 行", "copy": "复制", "copied": "已复制",
  "resume": "续训", "generate": "生成", "diagnose": "诊断", "evaluate": "评估", "report": "报告",
  "Back to all runs": "返回全部训练", "The run was rewritten, as when it is resumed; everything was read again.": "训练的记录被重写（例如续训时），已全部重新读取。",
  "Use": "使用", "Use this model": "使用这个模型", "Model": "模型", "opening the model": "正在打开模型", "Generate": "生成", "class": "类别", "number of images": "图像数量",
  "number of sentences": "句子数量", "temperature": "温度", "number of points": "点数", "image {i} of seed {n}": "种子 {n} 的第 {i} 张图像", "Click a picture to keep it.": "点击图片可保留。", "download": "下载",
  "Drop photos here, or choose them": "把照片拖到这里，或选择照片", "Up to {mb} MB and {mp} megapixels each; they stay on this server and are deleted at once.": "每张最多 {mb} MB、{mp} 百万像素；照片只在本服务器上处理，随即删除。",
  "strength: 0 faithful, 1 sharp": "强度：0 忠实，1 锐利", "strength: 0 only fill what is lost, 1 all": "强度：0 只填补缺损，1 全部", "correct tone and colours": "校正色调和颜色",
  "working": "正在处理", "waiting": "等待中", "before": "之前", "after": "之后", "position of the divider": "分隔线位置", "{mb} MB are more than the limit of {limit} MB.": "{mb} MB 超过了 {limit} MB 的上限。",
  "This model does nothing that the page offers.": "网页不提供这个模型的用途。", "On the command line": "对应的命令",
  "healthy": "正常", "divergence": "发散", "d-overfits": "判别器过拟合", "oscillation": "振荡", "d-dominates": "判别器占优", "g-dominates": "生成器占优",
  "mode-collapse": "模式崩溃", "partial-collapse": "部分崩溃", "past-best": "最佳状态已过", "class-imbalance": "类别不均", "early": "为时过早", "too early to tell": "为时过早",
  "system": "系统", "data": "数据", "data's fingerprint": "数据指纹", "seed": "种子", "training time": "训练时间", "machine": "机器", "trained on": "训练日期", "folder": "文件夹",
};

let language = "en";

export function chosen() {
  const kept = (() => { try { return localStorage.getItem("ganvas-language"); } catch { return null; } })();
  return kept ?? (navigator.languages.find((one) => /^(en|zh)\b/i.test(one)) ?? "en").slice(0, 2).toLowerCase();
}

export function choose(name, keep) {
  language = name === "zh" ? "zh" : "en";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  if (keep) try { localStorage.setItem("ganvas-language", language); } catch { /* private windows may refuse */ }
}

export function t(text, values) {
  const found = language === "zh" ? ZH[text] ?? text : text;
  return found.replace(/\{(\w+)\}/g, (_, name) => values?.[name] ?? "");
}

export const count = (value) => Math.round(value).toLocaleString("en");

export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return size > 0 && size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

export function precise(value) {
  const size = Math.abs(value);
  if (size >= 1e4) return count(value);
  return size > 0 && size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

const UNITS = { en: [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]], zh: [["天", 86400], ["小时", 3600], ["分钟", 60], ["秒", 1]] };

export function duration(seconds) {
  const [unit, size] = UNITS[language].find(([, length]) => seconds >= length) ?? UNITS[language][3];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

export const ago = (moment) => {
  const seconds = Date.now() / 1000 - moment;
  return seconds < 2 ? t("now") : t("{t} ago", { t: duration(seconds) });
};
