/*! treino

BSD 3-Clause License

Copyright (c) 2026, the treino authors

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its
   contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
*/
var M={render:k};function k({model:n,el:t}){let o=Array.from(crypto.getRandomValues(new Uint8Array(8)),e=>e.toString(16).padStart(2,"0")).join(""),h=n.get("words"),d=Math.max(420,Math.min(860,.8*screen.availHeight)),i=document.createElement("p"),r=document.createElement("iframe"),l=null,b=n.get("address"),c=null,f=null,v=0,S=0,T=0,u=0,x=!1;i.textContent=h.opening,i.setAttribute("role","status"),Object.assign(r.style,{display:"block",width:"100%",border:"0",borderRadius:"8px",height:`${d}px`}),r.setAttribute("sandbox","allow-scripts allow-downloads allow-modals allow-popups"),r.allow="clipboard-write",r.title="treino studio",t.replaceChildren(i);function p(e,a=[]){if(!x){T=Date.now();try{n.send({view:o,n:++v,...e},void 0,a)}catch{g()}}}let m=(e,a=[])=>l?.postMessage(e,a);function w(e){e!==f&&(f=e,!l&&e==="gone"&&(i.textContent=h.gone),m({trouble:f}))}function g(){x=!0,w("gone")}r.addEventListener("load",()=>{l&&p({do:"gone"});let e=new MessageChannel;l=e.port1,l.onmessage=({data:{bytes:a,...s}})=>{"height"in s?r.style.height=`${Math.max(420,Math.min(d,s.height??d))}px`:"address"in s?b=s.address:p(s,a?[a]:[])},c=A(t),r.contentWindow.postMessage({address:b,lang:n.get("language"),theme:c},"*",[e.port2]),f&&m({trouble:f})});async function L(e,a){if(e.view!==o)return;let[s]=a.map(y=>new Uint8Array(y.buffer??y,y.byteOffset??0,y.byteLength).slice().buffer);e.is==="page"?(r.srcdoc=await new Response(new Blob([s]).stream().pipeThrough(new DecompressionStream("gzip"))).text(),t.replaceChildren(r)):e.is==="alive"?(u=Date.now(),w(e.n<S?"busy":null),S=v,u-T>15e3&&p({do:"here"})):m({...e,bytes:s},s?[s]:[])}let C=()=>{u&&Date.now()-u>8e3&&w("gone");let e=A(t);e===c||!l||(c=e,m({theme:c}))},E=()=>p({do:"gone"}),R=setInterval(C,1e3);return O(t),n.on("msg:custom",L),n.on("comm_live_update",g),n.on("destroy",g),addEventListener("pagehide",E),p({do:"page"}),setTimeout(()=>{u||w("gone")},8e3),()=>{clearInterval(R),removeEventListener("pagehide",E),E();for(let[e,a]of[["msg:custom",L],["comm_live_update",g],["destroy",g]])n.off(e,a)}}function A(n){let t=new OffscreenCanvas(1,1).getContext("2d",{willReadFrequently:!0});for(let o=n;o;o=o.parentElement??o.getRootNode().host){t.clearRect(0,0,1,1),t.fillStyle=getComputedStyle(o).backgroundColor,t.fillRect(0,0,1,1);let[h,d,i,r]=t.getImageData(0,0,1,1).data;if(r>127)return .3*h+.59*d+.11*i<128?"dark":"light"}return matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}function O(n){requestAnimationFrame(()=>{for(let t=n.parentElement;t;t=t.parentElement){let o=t.querySelector(".treino-studio-stored");if(o){o.hidden=!0;return}}})}export{M as default};
